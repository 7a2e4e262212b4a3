using System.CommandLine;
using Hadal.Numerics;

namespace Hadal.Cli.CommandLine;

/// <summary><c>--weights</c>: the format in which weights are held in memory.</summary>
internal static class WeightNames
{
    private static readonly Dictionary<string, WeightFormat> _formats = new()
    {
        ["fp32"] = WeightFormat.F32,
        ["bf16"] = WeightFormat.BF16,
        ["fp16"] = WeightFormat.F16,
        ["fp8"] = WeightFormat.Fp8,
        ["fp8-w8a8"] = WeightFormat.Fp8W8A8,
        ["int8"] = WeightFormat.EightBit,
        ["int4"] = WeightFormat.FourBit,
    };

    /// <summary>A fresh option.</summary>
    /// <param name="leftOut">What happens without it.</param>
    public static Option<WeightFormat?> Option(string leftOut = "as they are stored") => new("--weights")
    {
        Description = $"Hold weights as {string.Join(", ", _formats.Keys)}; left out: {leftOut}.",
        HelpName = "FORMAT",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (_formats.TryGetValue(text, out var format)) return format;
            result.AddError($"--weights is \"{text}\", but has to be one of {string.Join(", ", _formats.Keys)}.");
            return default;
        },
    };

    /// <summary>The name of a format.</summary>
    public static string Name(WeightFormat format) => format switch
    {
        WeightFormat.Q80 => "q8_0",
        WeightFormat.Q50 => "q5_0",
        WeightFormat.Q40 => "q4_0",
        WeightFormat.Q6K => "q6_k",
        WeightFormat.Q5K => "q5_k",
        WeightFormat.Q4K => "q4_k",
        _ => _formats.First(f => f.Value == format).Key,
    };
}
