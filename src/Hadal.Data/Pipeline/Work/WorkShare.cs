using System.Globalization;

namespace Hadal.Data.Pipeline.Work;

/// <summary>One process's share of a build that several do together over a common folder: every <paramref name="Count"/>-th task of a stage.</summary>
/// <param name="Index">Which, from 0.</param>
/// <param name="Count">Of how many.</param>
public readonly record struct WorkShare(int Index, int Count)
{
    /// <summary>All of the work.</summary>
    public static WorkShare All => new(0, 1);

    /// <summary>Reads "2/8": the third of eight.</summary>
    /// <param name="text">Index, slash, count.</param>
    /// <param name="share">What it says.</param>
    /// <returns>Whether it is one.</returns>
    public static bool TryParse(string text, out WorkShare share)
    {
        share = All;
        string[] parts = (text ?? "").Split('/');
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index)) return false;
        if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count) || index >= count) return false;
        share = new WorkShare(index, count);
        return true;
    }

    internal bool Owns(int task) => task % Count == Index;
}
