using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Hadal.Cli.CommandLine;

/// <summary>Options with numbers, which say what would be right when they are given something else.</summary>
internal static class Numbers
{
    public static Option<int> Whole(string name, string description, int ordinary, int least, int most = int.MaxValue) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => ordinary,
        CustomParser = result => ReadWhole(result, name, least, most),
    };

    public static Option<int> RequiredWhole(string name, string description, int least, int most) => new(name)
    {
        Description = description,
        HelpName = "N",
        Required = true,
        CustomParser = result => ReadWhole(result, name, least, most),
    };

    public static Option<double> Real(string name, string description, double ordinary, string helpName, string range, Func<double, bool> fits) => new(name)
    {
        Description = description,
        HelpName = helpName,
        DefaultValueFactory = _ => ordinary,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && fits(value)) return value;
            result.AddError($"{name} is \"{text}\", but has to be a number {range}.");
            return default;
        },
    };

    /// <summary>An amount of memory: a number with K, M, G or T for powers of 1024, or in bytes.</summary>
    public static Option<long?> Bytes(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "BYTES",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (ReadBytes(text) is { } bytes) return bytes;
            result.AddError($"{name} is \"{text}\", but has to be an amount of memory such as 12G, 800M or a number of bytes.");
            return default;
        },
    };

    internal static long? ReadBytes(string text)
    {
        string number = text.TrimEnd('b', 'B').TrimEnd('i');
        int power = number.Length == 0 ? -1 : "KMGT".IndexOf(char.ToUpperInvariant(number[^1]), StringComparison.Ordinal);
        if (power >= 0) number = number[..^1];
        if (!double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)) return null;
        double bytes = value * Math.Pow(1024, power + 1);
        return bytes is >= 1 and <= 1L << 50 ? (long)bytes : null;
    }

    public static Option<ulong?> Seed(string description) => new("--seed")
    {
        Description = description,
        HelpName = "S",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)) return value;
            result.AddError($"--seed is \"{text}\", but has to be a whole number from 0 to {ulong.MaxValue}.");
            return default;
        },
    };

    private static int ReadWhole(ArgumentResult result, string name, int least, int most)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most) return value;
        string range = most == int.MaxValue ? $"of at least {least}" : $"from {least} to {most}";
        result.AddError($"{name} is \"{text}\", but has to be a whole number {range}.");
        return default;
    }
}
