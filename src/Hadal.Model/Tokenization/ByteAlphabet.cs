using System.Text;

namespace Hadal.Model.Tokenization;

/// <summary>
/// The printable alphabet that byte-level BPE files write bytes in: bytes 33-126, 161-172 and 174-255 are the characters of the same code, the other
/// 68 bytes in increasing order are U+0100, U+0101, ... (the blank is U+0120).
/// </summary>
internal static class ByteAlphabet
{
    /// <summary>The first code past the alphabet: 256 characters of their own code or from U+0100 on, 68 of the latter.</summary>
    internal const int Limit = 0x144;

    private static readonly char[] ByteToChar = BuildForward();
    private static readonly short[] CharToByte = BuildBackward(ByteToChar);

    /// <summary>The character that stands for a byte.</summary>
    internal static char CharOf(byte value) => ByteToChar[value];

    /// <summary>The byte a character stands for, or -1 when the character is not in the alphabet.</summary>
    internal static int ByteOf(char value) => value < Limit ? CharToByte[value] : -1;

    /// <summary>
    /// The bytes a vocabulary entry stands for: each character mapped back when all of them are in the alphabet, else the UTF-8 of the text
    /// (control tokens that stand in the vocabulary).
    /// </summary>
    /// <returns>True when the whole text is in the alphabet.</returns>
    internal static bool AppendBytes(string token, List<byte> destination)
    {
        int start = destination.Count;
        foreach (char c in token)
        {
            int value = ByteOf(c);
            if (value < 0)
            {
                destination.RemoveRange(start, destination.Count - start);
                destination.AddRange(Encoding.UTF8.GetBytes(token));
                return false;
            }

            destination.Add((byte)value);
        }

        return true;
    }

    /// <summary>Writes bytes in the alphabet.</summary>
    internal static string Write(ReadOnlySpan<byte> bytes)
        => string.Create(bytes.Length, bytes, static (text, source) =>
        {
            for (int i = 0; i < text.Length; i++) text[i] = ByteToChar[source[i]];
        });

    private static char[] BuildForward()
    {
        char[] map = new char[256];
        char next = '\u0100';
        for (int b = 0; b < 256; b++)
        {
            bool own = b is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174;
            map[b] = own ? (char)b : next++;
        }

        return map;
    }

    private static short[] BuildBackward(char[] forward)
    {
        short[] map = new short[Limit];
        Array.Fill(map, (short)-1);
        for (int b = 0; b < 256; b++) map[forward[b]] = (short)b;
        return map;
    }
}
