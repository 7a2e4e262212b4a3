using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hadal.Model.Tokenization;

/// <summary>
/// Which characters of Han and kana can have anything to do with each other when they stand side by side. Where no token made by merging holds bytes of both,
/// no merge ever crosses the border between them, and what stands before it is merged as if there were nothing behind it.
/// </summary>
/// <remarks>
/// Two characters have one bit, by a hash of both: those that share it only count as joined without need. Tokens that begin or end inside a character stand
/// for all characters with those bytes.
/// </remarks>
internal sealed class HanKanaBorders
{
    internal const char First = HanKanaTrie.First;
    internal const char Last = HanKanaTrie.Last;

    // More pairs than this come from vocabularies with many tokens that end inside a character.
    private const int MostPairs = 1 << 21;
    private const int FewestBits = 18;
    private const int BitsOverPairs = 4;
    private const uint Multiplier = 0x9E3779B1;

    // Leads of three-byte sequences from U+3040 to U+9FA5.
    private const byte FirstLead = 0xE3;
    private const byte LastLead = 0xE9;

    private readonly ulong[] _bits;
    private readonly int _shift;

    private HanKanaBorders(List<uint> pairs)
    {
        int bits = Math.Max(FewestBits, BitOperations.Log2((uint)pairs.Count | 1) + BitsOverPairs);
        _shift = 32 - bits;
        _bits = new ulong[1 << bits - 6];
        foreach (uint pair in pairs)
        {
            uint bit = pair * Multiplier >> _shift;
            _bits[bit >> 6] |= 1UL << (int)bit;
        }
    }

    /// <summary>True when there are too many pairs of characters to keep them apart, and every border may be crossed.</summary>
    internal bool AllMayJoin { get; private init; }

    /// <summary>Looks for tokens over borders.</summary>
    internal static HanKanaBorders Find(TokenizerFile file)
    {
        List<uint> pairs = [];
        foreach ((_, _, _, int joined) in file.Merges.All())
        {
            if (TryAddPairs(file.Vocabulary.Bytes(joined), pairs)) continue;
            HanKanaBorders all = new([]) { AllMayJoin = true };
            all._bits.AsSpan().Fill(ulong.MaxValue);
            return all;
        }

        return new HanKanaBorders(pairs);
    }

    /// <summary>False when merging never crosses the border between two characters.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool MayJoin(char left, char right)
    {
        uint bit = ((uint)left << 16 | right) * Multiplier >> _shift;
        return (Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_bits), (nint)(bit >> 6)) >> (int)bit & 1) != 0;
    }

    private static bool TryAddPairs(ReadOnlySpan<byte> token, List<uint> pairs)
    {
        int place = 0;
        while (place < token.Length && IsContinuation(token[place])) place++;
        if (place > 2) return true;
        ReadOnlySpan<byte> left = token[..place];
        while (place < token.Length)
        {
            // A token with anything else in it, or with bytes that are no UTF-8, does not occur within a run.
            if (token[place] is < FirstLead or > LastLead) return true;
            int end = place + 1;
            while (end < token.Length && end < place + 3 && IsContinuation(token[end])) end++;
            if (end < place + 3 && end < token.Length) return true;
            place = end;
        }

        // Now that the token is known to be of that kind:
        place = left.Length;
        while (place < token.Length)
        {
            ReadOnlySpan<byte> right = token[place..Math.Min(token.Length, place + 3)];
            if (!left.IsEmpty && !TryAddPairs(CharactersWith(left, atEnd: true), CharactersWith(right, atEnd: false), pairs)) return false;
            left = right;
            place += 3;
        }

        return true;
    }

    private static bool TryAddPairs(List<char> left, List<char> right, List<uint> pairs)
    {
        if (pairs.Count + (long)left.Count * right.Count > MostPairs) return false;
        foreach (char first in left)
            foreach (char second in right) pairs.Add((uint)first << 16 | second);
        return true;
    }

    /// <summary>The characters whose three bytes of UTF-8 end or begin with some bytes.</summary>
    private static List<char> CharactersWith(ReadOnlySpan<byte> bytes, bool atEnd)
    {
        List<char> found = [];
        if (bytes.Length == 3)
        {
            found.Add((char)((bytes[0] & 0xF) << 12 | (bytes[1] & 0x3F) << 6 | bytes[2] & 0x3F));
        }
        else
        {
            int known = 0, mask = 0;
            for (int i = 0; i < bytes.Length; i++)
            {
                // The first byte has four bits of the character, the others six each.
                int index = atEnd ? 3 - bytes.Length + i : i;
                int bits = index == 0 ? 0xF : 0x3F, shift = 12 - 6 * index;
                known |= (bytes[i] & bits) << shift;
                mask |= bits << shift;
            }

            for (int c = First; c <= Last; c++)
                if ((c & mask) == known) found.Add((char)c);
        }

        return found;
    }

    private static bool IsContinuation(byte b) => (b & 0xC0) == 0x80;
}
