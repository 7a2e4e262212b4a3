using System.Text.Json;

namespace Hadal.Serving.Answering;

/// <summary>How a model's makers want its tokens chosen, from <c>generation_config.json</c> beside its weights; 1 where the file says nothing.</summary>
/// <param name="Temperature">Used where a request names none.</param>
/// <param name="TopP">Used where a request names none.</param>
public sealed record GenerationDefaults(double Temperature = 1, double TopP = 1)
{
    /// <summary>Reads the file of a model.</summary>
    /// <param name="model">A Hugging Face folder; anything else has no such file.</param>
    /// <returns>The defaults; those of the API if there is no file, or one that is not as expected.</returns>
    public static GenerationDefaults Of(string model)
    {
        string path = Path.Combine(model, "generation_config.json");
        if (!File.Exists(path)) return new GenerationDefaults();
        try
        {
            using var file = JsonDocument.Parse(File.ReadAllBytes(path));
            return file.RootElement.ValueKind == JsonValueKind.Object
                ? new GenerationDefaults(Number(file.RootElement, "temperature", 0, 2), Number(file.RootElement, "top_p", 0.01, 1))
                : new GenerationDefaults();
        }
        catch (JsonException)
        {
            return new GenerationDefaults();
        }
    }

    private static double Number(JsonElement file, string name, double least, double most) =>
        file.TryGetProperty(name, out var value) && value.TryGetDouble(out double number) && number >= least && number <= most ? number : 1;
}
