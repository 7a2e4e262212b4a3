using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Hadal.Inference.Constraints.Automata;

/// <summary>A number of a schema, exactly: mantissa · 10^-scale, the scale as small as can be and not below 0.</summary>
internal sealed record JsonDecimal(BigInteger Mantissa, int Scale) : IComparable<JsonDecimal>
{
    /// <summary>Digits that a number of a schema may have when it is written without an exponent.</summary>
    internal const int MaxDigits = 400;

    public int CompareTo(JsonDecimal? other)
    {
        int scale = Math.Max(Scale, other!.Scale);
        return ScaledTo(scale).CompareTo(other.ScaledTo(scale));
    }

    internal BigInteger ScaledTo(int scale) => Mantissa * BigInteger.Pow(10, scale - Scale);

    /// <summary>The digits of the absolute value before the point, none for 0, and behind it.</summary>
    internal (string Integer, string Fraction) Digits()
    {
        string digits = BigInteger.Abs(Mantissa).ToString(CultureInfo.InvariantCulture).PadLeft(Scale, '0');
        return (digits[..^Scale].TrimStart('0'), digits[^Scale..]);
    }

    /// <summary>Reads a JSON number.</summary>
    /// <returns>Null if it has more than <see cref="MaxDigits"/> digits.</returns>
    internal static JsonDecimal? Parse(JsonElement number)
    {
        string text = number.GetRawText();
        int e = text.IndexOfAny(['e', 'E']);
        string mantissa = e < 0 ? text : text[..e];
        if (mantissa.Length > MaxDigits) return null;
        int exponent = 0;
        if (e >= 0 && (!int.TryParse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out exponent) || Math.Abs((long)exponent) > MaxDigits)) return null;
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        int scale = (point < 0 ? 0 : mantissa.Length - point - 1) - exponent;
        var value = BigInteger.Parse(mantissa.Replace(".", "", StringComparison.Ordinal), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (scale < 0) (value, scale) = (value * BigInteger.Pow(10, -scale), 0);
        while (scale > 0 && value % 10 == 0) (value, scale) = (value / 10, scale - 1);
        return new JsonDecimal(value, scale);
    }
}
