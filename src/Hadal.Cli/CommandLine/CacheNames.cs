using System.CommandLine;
using Hadal.Numerics;

namespace Hadal.Cli.CommandLine;

/// <summary><c>--cache</c>: the type in which latents of the context are kept.</summary>
internal static class CacheNames
{
    private static readonly Dictionary<string, DType> _types = new() { ["bf16"] = DType.BF16, ["fp8"] = DType.F8E4M3, ["f32"] = DType.F32 };

    /// <summary>A fresh option.</summary>
    public static Option<DType?> Option() => new("--cache")
    {
        Description = $"Keep the latent cache as {string.Join(", ", _types.Keys)}; left out: f32 for an FP32 model, else bf16.",
        HelpName = "TYPE",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (_types.TryGetValue(text, out var type)) return type;
            result.AddError($"--cache is \"{text}\", but has to be one of {string.Join(", ", _types.Keys)}.");
            return default;
        },
    };

    /// <summary>The name of a type.</summary>
    public static string Name(DType type) => _types.First(t => t.Value == type).Key;
}
