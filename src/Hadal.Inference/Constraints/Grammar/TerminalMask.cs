using System.Numerics;

namespace Hadal.Inference.Constraints.Grammar;

/// <summary>What can be said about tokens from the place in a terminal alone, whatever follows it.</summary>
/// <param name="Dense">The tokens whose bytes all lie within the terminal, as a bit set; null when there are few.</param>
/// <param name="Few">These tokens when there are few.</param>
/// <param name="Ends">Nodes of the trie that have nodes below them and at which the terminal may end: tokens below go on behind it.</param>
internal sealed record TerminalMask(ulong[]? Dense, int[] Few, int[] Ends)
{
    internal long Bytes => 64 + 8L * (Dense?.Length ?? 0) + 4L * (Few.Length + Ends.Length);

    internal void AddTo(Span<ulong> mask)
    {
        if (Dense is null)
        {
            foreach (int id in Few) ConstraintVocabulary.Set(mask, id);
            return;
        }

        int i = 0;
        for (; i + Vector<ulong>.Count <= mask.Length; i += Vector<ulong>.Count)
            (new Vector<ulong>(Dense, i) | new Vector<ulong>(mask[i..])).CopyTo(mask[i..]);
        for (; i < mask.Length; i++) mask[i] |= Dense[i];
    }
}
