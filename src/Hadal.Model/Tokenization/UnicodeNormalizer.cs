using System.IO.Compression;
using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// The Unicode normalisation forms (Unicode Standard Annex 15). <see cref="string.Normalize()"/> cannot serve: in processes without globalization data, such
/// as this project's programs, it returns its argument unchanged.
/// </summary>
public static class UnicodeNormalizer
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, HangulCount = LeadCount * VowelCount * TrailCount;

    // Nothing below these changes: no canonical composition involves a character below U+0300 unless one from there on follows.
    private const char FirstOfComposition = '\u0300';
    private const char FirstOfDecomposition = '\u00A0';

    private static readonly Lazy<Tables> _data = new(static () => new Tables());

    /// <summary>Normalisation form C: composed characters. Text that is composed already, as nearly all is, costs a look at each character and is returned itself.</summary>
    /// <param name="text">Well-formed text (no lone surrogates).</param>
    public static string Compose(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int first = text.AsSpan().IndexOfAnyInRange(FirstOfComposition, '\uFFFF');
        if (first < 0) return text;
        foreach (Rune rune in text.AsSpan(first).EnumerateRunes())
        {
            if (_data.Value.MayChange(rune.Value)) return Normalize(text, NormalizationForm.FormC);
        }

        return text;
    }

    /// <summary>Brings well-formed text (no lone surrogates) into a form.</summary>
    internal static string Normalize(string text, NormalizationForm form)
    {
        char first = form == NormalizationForm.FormC ? FirstOfComposition : FirstOfDecomposition;
        if (!text.AsSpan().ContainsAnyInRange(first, '\uFFFF')) return text;
        bool compatibility = form is NormalizationForm.FormKC or NormalizationForm.FormKD;
        List<int> codePoints = new(text.Length + 16);
        foreach (Rune rune in text.EnumerateRunes()) Decompose(rune.Value, compatibility, codePoints);
        Order(codePoints);
        if (form is NormalizationForm.FormC or NormalizationForm.FormKC) Join(codePoints);
        StringBuilder result = new(codePoints.Count);
        foreach (int codePoint in codePoints)
        {
            if (codePoint < 0x10000) result.Append((char)codePoint);
            else result.Append(char.ConvertFromUtf32(codePoint));
        }

        return result.ToString();
    }

    private static void Decompose(int codePoint, bool compatibility, List<int> result)
    {
        int syllable = codePoint - HangulBase;
        if ((uint)syllable < HangulCount)
        {
            result.Add(LeadBase + syllable / (VowelCount * TrailCount));
            result.Add(VowelBase + syllable % (VowelCount * TrailCount) / TrailCount);
            if (syllable % TrailCount > 0) result.Add(TrailBase + syllable % TrailCount);
        }
        else if (_data.Value.Canonical.TryGetValue(codePoint, out int[]? mapping)
            || (compatibility && _data.Value.Compatible.TryGetValue(codePoint, out mapping)))
        {
            foreach (int part in mapping) Decompose(part, compatibility, result);
        }
        else
        {
            result.Add(codePoint);
        }
    }

    /// <summary>Sorts every run of combining characters by class, equals staying in order.</summary>
    private static void Order(List<int> codePoints)
    {
        Tables data = _data.Value;
        for (int start = 0; start < codePoints.Count;)
        {
            int end = start;
            while (end < codePoints.Count && data.ClassOf(codePoints[end]) != 0) end++;
            if (end - start > 1)
            {
                int[] ordered = [.. codePoints.GetRange(start, end - start).OrderBy(data.ClassOf)];
                for (int i = 0; i < ordered.Length; i++) codePoints[start + i] = ordered[i];
            }

            start = end + 1;
        }
    }

    private static void Join(List<int> codePoints)
    {
        Tables data = _data.Value;
        int starter = -1, kept = 0, lastClass = 0;
        foreach (int codePoint in codePoints.ToArray())
        {
            int combiningClass = data.ClassOf(codePoint);
            // A character is blocked from the last starter by one between them of the same or a higher class, or by another starter.
            bool blocked = starter < 0 || (kept - 1 > starter && (lastClass == 0 || lastClass >= combiningClass));
            if (!blocked && Composite(codePoints[starter], codePoint) is >= 0 and int composite)
            {
                codePoints[starter] = composite;
                continue;
            }

            codePoints[kept] = codePoint;
            lastClass = combiningClass;
            if (combiningClass == 0) starter = kept;
            kept++;
        }

        codePoints.RemoveRange(kept, codePoints.Count - kept);
    }

    private static int Composite(int first, int second)
    {
        if ((uint)(first - LeadBase) < LeadCount && (uint)(second - VowelBase) < VowelCount)
            return HangulBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TrailCount;
        if ((uint)(first - HangulBase) < HangulCount && (first - HangulBase) % TrailCount == 0 && second is > TrailBase and < TrailBase + TrailCount)
            return first + second - TrailBase;
        return _data.Value.Composites.TryGetValue((first, second), out int composite) ? composite : -1;
    }

    private sealed class Tables
    {
        private readonly Dictionary<int, byte> _classes = [];

        // What composition may touch: marks, second parts of composites, characters that come back as others. Within a plane of 65,536 by table, above by search.
        private readonly HashSet<int> _changing = [];
        private readonly bool[] _changingBelow = new bool[0x10000];

        internal Tables()
        {
            using DeflateStream packed = new(new MemoryStream(Convert.FromBase64String(NormalizationData.Packed)), CompressionMode.Decompress);
            using MemoryStream plain = new();
            packed.CopyTo(plain);
            plain.Position = 0;
            using BinaryReader reader = new(plain);
            Canonical = ReadMappings(reader);
            Compatible = ReadMappings(reader);
            HashSet<int> excluded = [];
            for (int i = reader.Read7BitEncodedInt(), codePoint = 0; i > 0; i--) excluded.Add(codePoint += reader.Read7BitEncodedInt());
            for (int i = reader.Read7BitEncodedInt(), start = 0; i > 0; i--)
            {
                start += reader.Read7BitEncodedInt();
                int length = reader.Read7BitEncodedInt();
                byte combiningClass = (byte)reader.Read7BitEncodedInt();
                for (int codePoint = start; codePoint < start + length; codePoint++) _classes.Add(codePoint, combiningClass);
            }

            foreach ((int codePoint, int[] mapping) in Canonical)
                if (mapping.Length == 2 && !excluded.Contains(codePoint)) Composites.Add((mapping[0], mapping[1]), codePoint);

            _changing.UnionWith(_classes.Keys);
            _changing.UnionWith(Composites.Keys.Select(pair => pair.Second));
            _changing.UnionWith(Canonical.Where(entry => entry.Value.Length == 1 || excluded.Contains(entry.Key)).Select(entry => entry.Key));
            for (int vowel = VowelBase; vowel < TrailBase + TrailCount; vowel++) _changing.Add(vowel);
            foreach (int codePoint in _changing)
            {
                if (codePoint < 0x10000) _changingBelow[codePoint] = true;
            }
        }

        internal bool MayChange(int codePoint) => codePoint < 0x10000 ? _changingBelow[codePoint] : _changing.Contains(codePoint);

        internal Dictionary<int, int[]> Canonical { get; }

        internal Dictionary<int, int[]> Compatible { get; }

        internal Dictionary<(int First, int Second), int> Composites { get; } = [];

        internal int ClassOf(int codePoint) => codePoint < FirstOfComposition ? 0 : _classes.GetValueOrDefault(codePoint);

        private static Dictionary<int, int[]> ReadMappings(BinaryReader reader)
        {
            int count = reader.Read7BitEncodedInt();
            Dictionary<int, int[]> mappings = new(count);
            for (int codePoint = 0; count > 0; count--)
            {
                codePoint += reader.Read7BitEncodedInt();
                int[] mapping = new int[reader.Read7BitEncodedInt()];
                for (int i = 0; i < mapping.Length; i++) mapping[i] = reader.Read7BitEncodedInt();
                mappings.Add(codePoint, mapping);
            }

            return mappings;
        }
    }
}
