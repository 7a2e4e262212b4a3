using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Hadal.Model.Tokenization;

namespace Hadal.Benchmarks;

/// <summary>Speed of encoding, file by file: one thread, the text as one string in memory, best of several passes.</summary>
internal static class TokenizerSpeed
{
    private const int Passes = 8;

    /// <summary>Measures and prints a table.</summary>
    /// <param name="arguments">A tokenizer, then text files, which may be packed (<c>.gz</c>).</param>
    internal static int Run(ReadOnlySpan<string> arguments)
    {
        if (arguments.Length < 2)
        {
            Console.Error.WriteLine("usage: tokenizer TOKENIZER FILE…");
            return 2;
        }

        Tokenizer tokenizer = Tokenizer.Load(arguments[0]);
        Console.WriteLine("| text | MB | tokens | MB/s |\n| --- | --- | --- | --- |");
        List<int> ids = [];
        foreach (string path in arguments[1..])
        {
            string text = Read(path);
            double megabytes = Encoding.UTF8.GetByteCount(text) / 1e6, best = 0;
            for (int pass = 0; pass < Passes; pass++)
            {
                ids.Clear();
                long start = Stopwatch.GetTimestamp();
                tokenizer.Encode(text, ids);
                best = Math.Max(best, megabytes / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {Path.GetFileName(path)} | {megabytes:F1} | {ids.Count:N0} | {best:F1} |"));
        }

        return 0;
    }

    private static string Read(string path)
    {
        Stream stream = File.OpenRead(path);
        using StreamReader reader = new(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : stream);
        return reader.ReadToEnd();
    }
}
