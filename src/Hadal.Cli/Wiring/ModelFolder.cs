using Hadal.Cli.Errors;

namespace Hadal.Cli.Wiring;

/// <summary>The <c>MODEL</c> argument of a command.</summary>
internal static class ModelFolder
{
    /// <summary>What the help says of the argument.</summary>
    public const string Description = "A Hugging Face folder, or a .gguf file.";

    /// <summary>Refuses what is no model with a sentence that says what would be one.</summary>
    /// <returns>The folder or file as given.</returns>
    public static string Check(string path)
    {
        if (Directory.Exists(path)) return path;
        bool gguf = path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
        if (File.Exists(path))
            return gguf ? path : throw new MistakeException($"{path} is a file; a model is a Hugging Face folder (config.json, tokenizer.json, *.safetensors) or a .gguf file");
        throw new MistakeException(gguf ? $"There is no file {path}" : $"There is no model folder {path}");
    }
}
