using System.Globalization;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>An immutable set of Unicode code points, kept as sorted disjoint ranges.</summary>
internal sealed class CodePointSet : IEquatable<CodePointSet>
{
    internal const int Limit = 0x110000;

    private static readonly Lazy<CodePointSet[]> _categories = new(ScanCategories);
    private static readonly Lazy<Dictionary<int, int[]>> _caseVariants = new(ScanCaseVariants);

    // Even places open a range, odd places are the first code point past it.
    private readonly int[] _bounds;

    private CodePointSet(int[] bounds) => _bounds = bounds;

    internal static CodePointSet Empty { get; } = new([]);

    internal static CodePointSet All { get; } = new([0, Limit]);

    internal ReadOnlySpan<int> Bounds => _bounds;

    internal static CodePointSet Of(int codePoint) => new([codePoint, codePoint + 1]);

    internal static CodePointSet Range(int first, int last) => new([first, last + 1]);

    /// <summary>The code points of one general category, by the running .NET version's Unicode data.</summary>
    internal static CodePointSet Of(UnicodeCategory category) => _categories.Value[(int)category];

    internal bool Contains(int codePoint)
    {
        int index = Array.BinarySearch(_bounds, codePoint);
        return index >= 0 ? (index & 1) == 0 : (~index & 1) == 1;
    }

    internal CodePointSet Union(CodePointSet other) => Merge(this, other, 1);

    internal CodePointSet Intersect(CodePointSet other) => Merge(this, other, 2);

    internal CodePointSet Complement()
    {
        bool fromZero = _bounds.Length > 0 && _bounds[0] == 0;
        bool toEnd = _bounds.Length > 0 && _bounds[^1] == Limit;
        List<int> bounds = new(_bounds.Length + 2);
        if (!fromZero) bounds.Add(0);
        bounds.AddRange(_bounds.AsSpan(fromZero ? 1 : 0, _bounds.Length - (fromZero ? 1 : 0) - (toEnd ? 1 : 0)));
        if (!toEnd) bounds.Add(Limit);
        return new CodePointSet([.. bounds]);
    }

    /// <summary>Adds every code point that differs from a member by case alone (simple case folding, one code point to one).</summary>
    internal CodePointSet WithCaseVariants()
    {
        List<int>? added = null;
        foreach ((int codePoint, int[] variants) in _caseVariants.Value)
            if (Contains(codePoint)) (added ??= []).AddRange(variants);
        if (added is null) return this;
        added.Sort();
        List<int> bounds = [];
        foreach (int codePoint in added)
        {
            if (bounds.Count > 0 && bounds[^1] > codePoint) continue;
            if (bounds.Count > 0 && bounds[^1] == codePoint) bounds[^1] = codePoint + 1;
            else bounds.AddRange([codePoint, codePoint + 1]);
        }

        return Union(new CodePointSet([.. bounds]));
    }

    public bool Equals(CodePointSet? other) => other is not null && _bounds.AsSpan().SequenceEqual(other._bounds);

    public override bool Equals(object? obj) => Equals(obj as CodePointSet);

    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (int bound in _bounds) hash.Add(bound);
        return hash.ToHashCode();
    }

    /// <summary>Sweeps both lists of bounds and keeps the places where at least <paramref name="needed"/> of the two sets are open.</summary>
    private static CodePointSet Merge(CodePointSet a, CodePointSet b, int needed)
    {
        List<int> bounds = new(a._bounds.Length + b._bounds.Length);
        int i = 0, j = 0, depth = 0;
        while (i < a._bounds.Length || j < b._bounds.Length)
        {
            int nextA = i < a._bounds.Length ? a._bounds[i] : int.MaxValue;
            int nextB = j < b._bounds.Length ? b._bounds[j] : int.MaxValue;
            int place = Math.Min(nextA, nextB);
            int before = depth;
            if (nextA == place) depth += (i++ & 1) == 0 ? 1 : -1;
            if (nextB == place) depth += (j++ & 1) == 0 ? 1 : -1;
            if (before >= needed != depth >= needed) bounds.Add(place);
        }

        return new CodePointSet([.. bounds]);
    }

    private static CodePointSet[] ScanCategories()
    {
        List<int>[] bounds = new List<int>[(int)UnicodeCategory.OtherNotAssigned + 1];
        for (int i = 0; i < bounds.Length; i++) bounds[i] = [];
        int start = 0;
        UnicodeCategory current = CharUnicodeInfo.GetUnicodeCategory(0);
        for (int codePoint = 1; codePoint <= Limit; codePoint++)
        {
            UnicodeCategory next = codePoint < Limit ? CharUnicodeInfo.GetUnicodeCategory(codePoint) : (UnicodeCategory)(-1);
            if (next == current) continue;
            bounds[(int)current].AddRange([start, codePoint]);
            (start, current) = (codePoint, next);
        }

        return Array.ConvertAll(bounds, static b => new CodePointSet([.. b]));
    }

    private static Dictionary<int, int[]> ScanCaseVariants()
    {
        Dictionary<int, List<int>> byFold = [];
        for (int codePoint = 0; codePoint < Limit; codePoint++)
        {
            if (!Rune.IsValid(codePoint)) continue;
            int fold = Fold(codePoint);
            if (fold == codePoint) continue;
            if (!byFold.TryGetValue(fold, out List<int>? members)) byFold.Add(fold, members = [fold]);
            members.Add(codePoint);
        }

        Dictionary<int, int[]> variants = [];
        foreach (List<int> members in byFold.Values)
            foreach (int member in members) variants[member] = [.. members];
        return variants;
    }

    private static int Fold(int codePoint)
        => codePoint switch
        {
            // Long s and the Kelvin sign fold to ASCII letters, which the invariant case mappings of .NET leave out.
            0x17F => 's',
            0x212A => 'k',
            _ => Rune.ToLowerInvariant(Rune.ToUpperInvariant(new Rune(codePoint))).Value,
        };
}
