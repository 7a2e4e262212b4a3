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
