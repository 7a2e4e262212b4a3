using System.Text;

namespace Hadal.Model.Tests;

/// <summary>Damages texts in many ways, the same ways for the same seed, and watches what reading them allocates.</summary>
internal static class Mutations
{
    private static readonly byte[][] _tokens =
    [
        .. new[]
        {
            "0", "-1", "1", "2", "255", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "1e308", "1e999", "-0.0", "0.5", "null", "true", "false",
            "\"\"", "[]", "{}", "[1,2]", "[[[[[[", "{\"a\":", "\"\\ud800\"", "\"..\"", "\"/etc/passwd\"", ",", ":", "\"", "\\", "{", "}", "[", "]", "\u0000", "\uFEFF", "F8_E4M3", "BF16",
        }.Select(Encoding.UTF8.GetBytes),
        [0xFF], [0xC3], [0xED, 0xA0, 0x80],
    ];

    /// <summary>Reads <paramref name="count"/> damaged copies; each may allocate <paramref name="mostBytes"/> at most.</summary>
    public static void Run(byte[][] seeds, int seed, int count, long mostBytes, Action<byte[]> read)
    {
        var random = new Random(seed);
        for (int i = 0; i < count; i++)
        {
            byte[] damaged = Damage(seeds[i % seeds.Length], random);
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(damaged);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Mutant {i}: {e.GetType().Name} for {Encoding.Latin1.GetString(damaged)}", e);
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(allocated <= mostBytes, $"Mutant {i} made its reader allocate {allocated} bytes: {Encoding.Latin1.GetString(damaged)}");
        }
    }

    private static byte[] Damage(byte[] text, Random random)
    {
        var bytes = new List<byte>(text);
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            int at = random.Next(bytes.Count + 1), length = Math.Min(bytes.Count - at, 1 + (int)Math.Pow(random.NextDouble(), 3) * 40);
            switch (random.Next(7))
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1 when at < bytes.Count:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, length);
                    break;
                case 3:
                    bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length));
                    break;
                case 4:
                    bytes.InsertRange(at, _tokens[random.Next(_tokens.Length)]);
                    break;
                case 5:
                    ReplaceNumber(bytes, at, random);
                    break;
                default:
                    if (random.Next(8) == 0) bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }

    /// <summary>Puts another value where the next number behind a place stands.</summary>
    private static void ReplaceNumber(List<byte> bytes, int at, Random random)
    {
        int start = bytes.FindIndex(at, b => char.IsAsciiDigit((char)b));
        if (start < 0) return;
        int end = start;
        while (end < bytes.Count && char.IsAsciiDigit((char)bytes[end])) end++;
        bytes.RemoveRange(start, end - start);
        bytes.InsertRange(start, random.Next(2) == 0 ? _tokens[random.Next(16)] : Encoding.UTF8.GetBytes($"{random.NextInt64() >> random.Next(64)}"));
    }
}
