using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Hadal.Model.Tokenization;
using Microsoft.ML.Tokenizers;
using Tokenizer = Hadal.Model.Tokenization.Tokenizer;

namespace Hadal.Benchmarks;

/// <summary>Speed of encoding, file by file, beside Microsoft.ML.Tokenizers: one thread, the text as one string in memory, best of several passes, which alternate.</summary>
internal static class TokenizerSpeed
{
    private const int Passes = 20;

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
        BpeTokenizer peer = MicrosoftTokenizer.Load(arguments[0]);
        Console.WriteLine("| text | MB | tokens | MB/s | Microsoft.ML.Tokenizers: tokens | MB/s | ratio |\n| --- | --- | --- | --- | --- | --- | --- |");
        List<int> ids = [];
        foreach (string path in arguments[1..])
        {
            string text = Read(path);
            double megabytes = Encoding.UTF8.GetByteCount(text) / 1e6, best = 0, peerBest = 0;
            int peerTokens = 0;
            for (int pass = 0; pass < Passes; pass++)
            {
                ids.Clear();
                long start = Stopwatch.GetTimestamp();
                tokenizer.Encode(text, ids, EncodeOptions.Untrusted);
                best = Math.Max(best, megabytes / Stopwatch.GetElapsedTime(start).TotalSeconds);
                start = Stopwatch.GetTimestamp();
                peerTokens = peer.EncodeToIds(text).Count;
                peerBest = Math.Max(peerBest, megabytes / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {Path.GetFileName(path)} | {megabytes:F1} | {ids.Count:N0} | {best:F1} | {peerTokens:N0} | {peerBest:F1} | {best / peerBest:F1} |"));
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
