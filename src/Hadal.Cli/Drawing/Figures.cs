using System.Globalization;

namespace Hadal.Cli.Drawing;

/// <summary>Numbers as people read them: the same spelling in the live view, in messages and in the report, whatever the machine's language.</summary>
public static class Figures
{
    /// <summary>What stands for a value that is not a number or not known.</summary>
    public const string Unknown = "–";

    private static readonly string[] _countSuffixes = ["", "K", "M", "B", "T", "Q"];
    private static readonly string[] _byteSuffixes = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>A count with one digit after the point and a suffix of thousands: <c>999</c>, <c>12.3K</c>, <c>671.0B</c>, <c>14.8T</c>.</summary>
    /// <param name="count">The count.</param>
    /// <returns>The count in at most seven characters, for counts below 10¹⁸.</returns>
    public static string Count(double count)
    {
        if (!double.IsFinite(count)) return Unknown;
        return Scale(count, _countSuffixes, "", Math.Abs(count) == Math.Floor(Math.Abs(count)) || Math.Abs(count) >= 100 ? "0" : "0.0");
    }

    /// <summary>A whole number with commas between thousands: <c>671,026,419,200</c>.</summary>
    /// <param name="count">The number.</param>
    /// <returns>Every digit.</returns>
    public static string Whole(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);

    /// <summary>Bytes in decimal units: <c>812 B</c>, <c>1.2 GB</c> (10⁹ bytes).</summary>
    /// <param name="bytes">The number of bytes.</param>
    /// <returns>One digit after the point from kilobytes on.</returns>
    public static string Bytes(double bytes) => double.IsFinite(bytes) ? Scale(bytes, _byteSuffixes, " ", "0") : Unknown;

    /// <summary>A rate per second: every digit below ten thousand (<c>1,140</c>), from there as a count (<c>12.3K</c>).</summary>
    /// <param name="perSecond">How many in a second.</param>
    /// <returns>The rate in at most seven characters.</returns>
    public static string Rate(double perSecond) =>
        Math.Abs(perSecond) is >= 9.95 and < 9_999.5 ? Whole((long)Math.Round(perSecond, MidpointRounding.AwayFromZero)) : Count(perSecond);

    /// <summary>A rate per second with its unit: <c>1,140 tokens/s</c>.</summary>
    /// <param name="perSecond">How many in a second.</param>
    /// <param name="unit">What is counted, in the plural.</param>
    /// <returns>The rate and the unit.</returns>
    public static string Rate(double perSecond, string unit) => $"{Rate(perSecond)} {unit}/s";

    /// <summary>A share as a percentage: <c>84.2%</c>.</summary>
    /// <param name="share">The share; 1 is all.</param>
    /// <returns>One digit after the point.</returns>
    public static string Percent(double share) =>
        double.IsFinite(share) ? (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + "%" : Unknown;

    /// <summary>A loss in nats: <c>3.214</c>.</summary>
    /// <param name="nats">The loss.</param>
    /// <returns>Three digits after the point.</returns>
    public static string Loss(double nats) => double.IsFinite(nats) ? nats.ToString("0.000", CultureInfo.InvariantCulture) : Unknown;

    /// <summary>A number with three significant digits, in powers of ten where it is very small or large: <c>0.83</c>, <c>4.2e-4</c>, <c>12.3</c>.</summary>
    /// <param name="value">The number.</param>
    /// <returns>At most eight characters for numbers between 10⁻⁹⁹ and 10⁹⁹.</returns>
    public static string Number(double value)
    {
        if (!double.IsFinite(value)) return Unknown;
        if (value == 0) return "0";
        double size = Math.Abs(value);
        // Rounding may carry into the next decade, so the decade is chosen by the rounded value.
        if (size is < 9.995e-3 or >= 99_995) return value.ToString("0.##e-0", CultureInfo.InvariantCulture);
        string format = size switch
        {
            < 9.995 => "0.##",
            < 99.95 => "0.#",
            _ => "0",
        };
        if (size < 0.0995) format = "0.####";
        else if (size < 0.9995) format = "0.###";
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>A length of time in words, to two units: <c>0.4 s</c>, <c>12 s</c>, <c>2 min 58 s</c>, <c>1 h 02 min</c>, <c>3 d 04 h</c>.</summary>
    /// <param name="time">The length; a negative one counts as zero.</param>
    /// <returns>The time, rounded to its smaller unit.</returns>
    public static string Duration(TimeSpan time)
    {
        double seconds = Math.Max(0, time.TotalSeconds);
        if (seconds < 9.95) return seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s";
        long whole = (long)Math.Round(seconds, MidpointRounding.AwayFromZero);
        if (whole < 60) return $"{whole} s";
        if (whole < 3600) return Pair(whole / 60, "min", whole % 60, "s");
        long minutes = (whole + 30) / 60;
        if (minutes < 24 * 60) return Pair(minutes / 60, "h", minutes % 60, "min");
        long hours = (whole + 1800) / 3600;
        return Pair(hours / 24, "d", hours % 24, "h");
    }

    /// <summary>A length of time as a clock shows it: <c>0:07</c>, <c>12:34</c>, <c>1:02:03</c>, <c>74:00:00</c>.</summary>
    /// <param name="time">The length; a negative one counts as zero.</param>
    /// <returns>Minutes and seconds, with hours before them from one hour on.</returns>
    public static string Clock(TimeSpan time)
    {
        long seconds = (long)Math.Max(0, time.TotalSeconds);
        return seconds < 3600
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}:{seconds % 60:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}");
    }

    private static string Pair(long large, string largeUnit, long small, string smallUnit) =>
        string.Create(CultureInfo.InvariantCulture, $"{large} {largeUnit} {small:00} {smallUnit}");

    private static string Scale(double value, string[] suffixes, string gap, string plainFormat)
    {
        int index = 0;
        double size = Math.Abs(value);
        // 999.95 of a unit would print as 1000.0; below the first unit whole numbers print as they are, up to 999.
        double limit = index == 0 ? 999.5 : 999.95;
        while (size >= limit && index < suffixes.Length - 1)
        {
            size /= 1000;
            index++;
            limit = 999.95;
        }

        string digits = size.ToString(index == 0 ? plainFormat : "0.0", CultureInfo.InvariantCulture);
        return $"{(value < 0 && digits is not ("0" or "0.0") ? "-" : "")}{digits}{gap}{suffixes[index]}";
    }
}
