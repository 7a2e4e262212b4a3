using System.Text;

namespace Hadal.Data.Normalization;

/// <summary>
/// Repairs UTF-8 that was read as Latin-1 or Windows code page 1252, once or several times over. A sequence is repaired only if its characters are, as bytes, one
/// well-formed UTF-8 sequence of a plausible character, and if text that was meant so is next to impossible: typographic marks ("â€™"), foreign letters in unbroken
/// rows, or a Latin letter or sign ("Ã©", "Â£") where no word in capitals ends. All others are repaired where such proof is found in the same text.
/// </summary>
internal static class MojibakeRepair
{
    private const int MaximumPasses = 3;
    private const char FirstLead = '\u00C2', LastLead = '\u00F4';

    // What may stand behind a word in capitals that ends in Ã or Â.
    private const string Closing = "»›”’“…™®–—°ºª";

    private enum Evidence
    {
        /// <summary>The sequence alone proves the damage.</summary>
        Clear,

        /// <summary>Proof together with another sequence at its side.</summary>
        InRow,

        /// <summary>No proof.</summary>
        Doubtful,
    }

    internal static string Repair(string text, out int repaired)
    {
        repaired = 0;
        for (int pass = 0; pass < MaximumPasses && text.AsSpan().ContainsAnyInRange(FirstLead, LastLead); pass++)
        {
            List<Sequence> sequences = Find(text);
            bool proven = sequences.Exists(static sequence => sequence.Evidence == Evidence.Clear);
            if (!proven) break;
            StringBuilder result = new(text.Length);
            int copied = 0;
            foreach (Sequence sequence in sequences)
            {
                result.Append(text, copied, sequence.Start - copied).Append(new Rune(sequence.CodePoint).ToString());
                copied = sequence.End;
                repaired++;
            }

            text = result.Append(text, copied, text.Length - copied).ToString();
        }

        return text;
    }

    /// <summary>All sequences in order; what stands in a row is <see cref="Evidence.Clear"/> afterwards, a member of a row alone stays <see cref="Evidence.InRow"/>.</summary>
    private static List<Sequence> Find(string text)
    {
        List<Sequence> sequences = [];
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is < FirstLead or > LastLead || !TryRead(text, i, out Sequence sequence)) continue;
            if (sequence.Evidence == Evidence.InRow && sequences.Count > 0 && sequences[^1] is { Evidence: not Evidence.Doubtful } last && last.End == i)
            {
                sequences[^1] = last with { Evidence = Evidence.Clear };
                sequence = sequence with { Evidence = Evidence.Clear };
            }

            sequences.Add(sequence);
            i = sequence.End - 1;
        }

        return sequences;
    }

    private static bool TryRead(string text, int start, out Sequence sequence)
    {
        sequence = default;
        int lead = text[start];
        int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (start + length > text.Length) return false;
        int codePoint = lead & (0xFF >> (length + 1));
        for (int i = 1; i < length; i++)
        {
            int value = ByteOf(text[start + i]);
            if (value is < 0x80 or > 0xBF) return false;
            codePoint = (codePoint << 6) | (value & 0x3F);
        }

        if (EvidenceOf(text, start, length, codePoint) is not { } evidence) return false;
        sequence = new Sequence(start, start + length, codePoint, evidence);
        return true;
    }

    /// <summary>How much a sequence proves, null if it cannot be mojibake: the shape is overlong or the character one that text does not hold.</summary>
    private static Evidence? EvidenceOf(string text, int start, int length, int codePoint) => (length, codePoint) switch
    {
        // Half of what was read wrongly twice.
        (2, < 0xA0) => Evidence.InRow,
        // Latin-1 signs and letters. LIBERTÃ» and «Â» are right as they are; a small letter or a blank before Ã or Â is not, nor a sign behind it that ends nothing.
        (2, <= 0xFF) => start > 0 && Closing.Contains(text[start + 1]) && (char.IsUpper(text[start - 1]) || text[start - 1] == '«') ? Evidence.Doubtful : Evidence.Clear,
        (2, >= 0x100 and <= 0x17F) => Evidence.Doubtful,
        (2, >= 0x370 and <= 0x77F) => Evidence.InRow,
        // Typographic marks, currency signs, letterlike signs: â€, â‚, â„.
        (3, (>= 0x2010 and <= 0x203F) or (>= 0x20A0 and <= 0x20BF) or (>= 0x2100 and <= 0x213F)) => Evidence.Clear,
        (3, 0xFEFF) => Evidence.Clear,
        (3, (>= 0x2000 and <= 0x2BFF) or (>= 0x0900 and <= 0x0EFF) or (>= 0x3000 and <= 0x9FFF) or (>= 0xAC00 and <= 0xD7A3) or (>= 0xFF00 and <= 0xFFEF)) => Evidence.InRow,
        (3, >= 0x1E00 and <= 0x1EFF) => Evidence.Doubtful,
        (4, (>= 0x1F000 and <= 0x1FAFF) or (>= 0x20000 and <= 0x2FA1F)) => Evidence.Clear,
        _ => null,
    };

    /// <summary>The byte that Latin-1 or code page 1252 reads as a character, or -1.</summary>
    private static int ByteOf(char c)
    {
        if (c <= '\u00FF') return c;
        for (int value = 0x80; value < 0xA0; value++)
            if (CleaningPass.FromWindows1252((char)value) == c) return value;
        return -1;
    }

    private readonly record struct Sequence(int Start, int End, int CodePoint, Evidence Evidence);
}
