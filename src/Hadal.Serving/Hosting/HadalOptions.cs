using Hadal.Inference.Batching;
using Hadal.Inference.Weights;
using Hadal.Model.Chat;
using Hadal.Serving.OpenAI;
using Microsoft.Extensions.Options;

namespace Hadal.Serving.Hosting;

/// <summary>What is served and how; looked at when the application starts.</summary>
public sealed class HadalOptions
{
    /// <summary>A Hugging Face folder or a GGUF file.</summary>
    public string Model { get; set; } = "";

    /// <summary>What requests call it; null for the name of the folder.</summary>
    public string? Name { get; set; }

    /// <summary>Further names that requests may call it.</summary>
    public IList<string> Aliases { get; } = [];

    /// <summary>Threads that compute; 0 for one per processor.</summary>
    public int Threads { get; set; }

    /// <summary>The name of a known chat template; null for the model's own.</summary>
    public string? Template { get; set; }

    /// <summary>How weights are loaded.</summary>
    public LoadOptions Load { get; set; } = new();

    /// <summary>How the engine works.</summary>
    public EngineOptions Engine { get; set; } = new();

    /// <summary>How <c>/v1/embeddings</c> and the <c>IEmbeddingGenerator</c> make the vector of a text; null if they are not offered: models of this kind are trained to
    /// continue text, so their hidden states are no match for those of a model made for the purpose.</summary>
    public Pooling? Embeddings { get; set; }

    /// <summary>What a single request may ask for at most.</summary>
    public ServingLimits Limits { get; set; } = new();

    /// <summary>A file of API keys (<see cref="Security.ApiKeyFile"/>); null for none, so that everybody who reaches the server may ask.
    /// Read when the endpoints are mapped, and again within a second of requests when it has changed.</summary>
    public string? ApiKeyFile { get; set; }

    /// <summary>Whether <c>/</c> shows a page to chat with the model.</summary>
    public bool Page { get; set; } = true;

    /// <summary>How long texts in work may go on after the application has been told to stop.</summary>
    public TimeSpan DrainTime { get; set; } = TimeSpan.FromSeconds(30);
}

/// <summary>Says at the start what is wrong with the options.</summary>
internal sealed class HadalOptionsCheck : IValidateOptions<HadalOptions>
{
    public ValidateOptionsResult Validate(string? name, HadalOptions options)
    {
        var problems = new List<string>();
        if (options.Model.Length == 0) problems.Add("Hadal:Model is not set; it is a Hugging Face folder or a .gguf file.");
        else if (!Directory.Exists(options.Model) && !File.Exists(options.Model)) problems.Add($"Hadal:Model is {options.Model}, which does not exist; it has to be a Hugging Face folder or a .gguf file.");
        if (options.Threads is < 0 or > 1024) problems.Add($"Hadal:Threads is {options.Threads}; it can be 0 (one per processor) to 1024.");
        if (options.Template is { } template && !ChatTemplate.Names.Contains(template)) problems.Add($"Hadal:Template is {template}; known are {string.Join(", ", ChatTemplate.Names)}.");
        if (options.DrainTime < TimeSpan.Zero) problems.Add("Hadal:DrainTime is negative.");
        problems.AddRange(options.Limits.Problems().Select(p => $"Hadal:{p}"));
        try
        {
            options.Engine.Validate();
        }
        catch (Inference.GenerationException e)
        {
            problems.Add(e.Message);
        }

        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }
}
