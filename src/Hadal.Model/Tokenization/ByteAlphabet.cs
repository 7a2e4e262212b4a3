namespace Hadal.Model.Tokenization;

/// <summary>
/// The printable alphabet that byte-level BPE files write bytes in: bytes 33-126, 161-172 and 174-255 are the characters of the same code, the other
/// 68 bytes in increasing order are U+0100, U+0101, ... (the blank is U+0120).
/// </summary>
internal static class ByteAlphabet
{
    /// <summary>The first code past the alphabet: 256 characters of their own code or from U+0100 on, 68 of the latter.</summary>
    internal const int Limit = 0x144;

    private static readonly char[] _byteToChar = BuildForward();
    private static readonly short[] _charToByte = BuildBackward(_byteToChar);

    /// <summary>All bytes in the order of their characters, in which DeepSeek-V3 numbers them ("!" first, the blank among the last).</summary>
    internal static byte[] Ordered { get; } = [.. Enumerable.Range(0, 256).Select(static b => (byte)b).OrderBy(static b => CharOf(b))];

    /// <summary>The character that stands for a byte.</summary>
    internal static char CharOf(byte value) => _byteToChar[value];

    /// <summary>The byte a character stands for, or -1 when the character is not in the alphabet.</summary>
    internal static int ByteOf(char value) => value < Limit ? _charToByte[value] : -1;

    /// <summary>Turns text written in the alphabet back into bytes, one a character.</summary>
    /// <returns>False when a character is not in the alphabet.</returns>
    internal static bool TryRead(ReadOnlySpan<char> text, Span<byte> bytes)
    {
        for (int i = 0; i < text.Length; i++)
        {
            int value = ByteOf(text[i]);
            if (value < 0) return false;
            bytes[i] = (byte)value;
        }

        return true;
    }

    /// <summary>The same from UTF-8, where a character of the alphabet takes one or two bytes.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="bytes">Where the bytes go, at least as many as the text has.</param>
    /// <param name="count">How many there are.</param>
    internal static bool TryRead(ReadOnlySpan<byte> utf8, Span<byte> bytes, out int count)
    {
        count = 0;
        for (int i = 0; i < utf8.Length; i++)
        {
            int code = utf8[i];
            if (code >= 0x80)
            {
                // 110xxxxx 10xxxxxx
                if ((code & 0xE0) != 0xC0 || i + 1 == utf8.Length || (utf8[i + 1] & 0xC0) != 0x80) return false;
                code = (code & 0x1F) << 6 | utf8[++i] & 0x3F;
            }

            int value = ByteOf((char)code);
            if (value < 0) return false;
            bytes[count++] = (byte)value;
        }

        return true;
    }

    /// <summary>Writes bytes in the alphabet.</summary>
    internal static string Write(ReadOnlySpan<byte> bytes)
        => string.Create(bytes.Length, bytes, static (text, source) =>
        {
            for (int i = 0; i < text.Length; i++) text[i] = _byteToChar[source[i]];
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
