using Hadal.Cli.Errors;

namespace Hadal.Cli.Wiring;

/// <summary>The <c>MODEL</c> argument of a command.</summary>
internal static class ModelFolder
{
    /// <summary>Refuses what is no model folder with a sentence that says what would be one.</summary>
    /// <returns>The folder as given.</returns>
    public static string Check(string path)
    {
        if (path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase))
            throw new MistakeException($"{path}: GGUF files can be read from a later version on; this one reads Hugging Face folders (config.json, tokenizer.json, *.safetensors)");
        if (Directory.Exists(path)) return path;
        throw new MistakeException(File.Exists(path)
            ? $"{path} is a file; a model is a Hugging Face folder (config.json, tokenizer.json, *.safetensors)"
            : $"There is no model folder {path}");
    }
}
