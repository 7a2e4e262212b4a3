using System.Globalization;

namespace Hadal.Serving.Load;

/// <summary>How long prompts or answers are: always the same, evenly between two lengths, or log-normal.</summary>
public sealed record LengthDistribution
{
    private readonly Func<Random, double> _draw;
    private readonly string _text;

    private LengthDistribution(string text, Func<Random, double> draw) => (_text, _draw) = (text, draw);

    /// <summary>Always the same length.</summary>
    /// <param name="tokens">Tokens, 1 or more.</param>
    /// <returns>The distribution.</returns>
    public static LengthDistribution Fixed(int tokens) => new(tokens.ToString(CultureInfo.InvariantCulture), _ => tokens);

    /// <summary>Reads <c>N</c>, <c>A-B</c> (even between A and B, both included) or <c>lognormal:MEAN,SIGMA</c> (MEAN tokens in the mean; SIGMA is the
    /// standard deviation of the logarithm, from 0 to 4; lengths are cut at 1 and at 32 times the mean).</summary>
    /// <param name="text">What was written.</param>
    /// <returns>The distribution; null if it is none.</returns>
    public static LengthDistribution? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Whole(text) is { } length) return Fixed(length);
        if (text.StartsWith("lognormal:", StringComparison.Ordinal))
        {
            string[] numbers = text["lognormal:".Length..].Split(',');
            if (numbers.Length != 2 || Whole(numbers[0]) is not { } mean || !double.TryParse(numbers[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double sigma) || sigma is < 0 or > 4)
                return null;

            // E[exp(m + s·z)] = exp(m + s²/2).
            double m = Math.Log(mean) - sigma * sigma / 2;
            return new LengthDistribution(text, random => Math.Min(Math.Exp(m + sigma * Normal(random)), 32.0 * mean));
        }

        string[] ends = text.Split('-');
        return ends.Length == 2 && Whole(ends[0]) is { } least && Whole(ends[1]) is { } most && most >= least
            ? new LengthDistribution(text, random => random.Next(least, most + 1))
            : null;
    }

    /// <summary>Draws a length.</summary>
    /// <param name="random">Where chance comes from.</param>
    /// <returns>Tokens, 1 or more.</returns>
    public int Draw(Random random) => Math.Max(1, (int)Math.Round(_draw(random)));

    /// <summary>The distribution as it is written.</summary>
    /// <returns>What <see cref="Parse"/> reads.</returns>
    public override string ToString() => _text;

    private static int? Whole(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value is >= 1 and <= 1 << 24 ? value : null;

    // Box and Muller's transformation.
    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
