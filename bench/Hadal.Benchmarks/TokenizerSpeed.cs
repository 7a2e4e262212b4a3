using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Hadal.Model.Tokenization;
using Microsoft.ML.Tokenizers;
using Tokenizer = Hadal.Model.Tokenization.Tokenizer;

namespace Hadal.Benchmarks;

/// <summary>Speed of encoding, file by file, beside Microsoft.ML.Tokenizers: one thread, the text in memory.</summary>
/// <remarks>The text is cut into stretches; each has the best of several passes, which alternate, so that a machine with other work on it disturbs little.</remarks>
internal static class TokenizerSpeed
{
    private const int Passes = 20;
    private const int Stretch = 1 << 16;

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
            string[] stretches = [.. Stretches(text)];
            double megabytes = Encoding.UTF8.GetByteCount(text) / 1e6;
            double[] best = new double[stretches.Length], peerBest = new double[stretches.Length];
            best.AsSpan().Fill(double.PositiveInfinity);
            peerBest.AsSpan().Fill(double.PositiveInfinity);
            int tokens = 0, peerTokens = 0;
            for (int pass = 0; pass < Passes; pass++)
            {
                (tokens, peerTokens) = (0, 0);
                for (int i = 0; i < stretches.Length; i++)
                {
                    ids.Clear();
                    long start = Stopwatch.GetTimestamp();
                    tokenizer.Encode(stretches[i], ids, EncodeOptions.Untrusted);
                    best[i] = Math.Min(best[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
                    tokens += ids.Count;
                }

                for (int i = 0; i < stretches.Length; i++)
                {
                    long start = Stopwatch.GetTimestamp();
                    peerTokens += peer.EncodeToIds(stretches[i]).Count;
                    peerBest[i] = Math.Min(peerBest[i], Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
            }

            double speed = megabytes / best.Sum(), peerSpeed = megabytes / peerBest.Sum();
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {Path.GetFileName(path)} | {megabytes:F1} | {tokens:N0} | {speed:F1} | {peerTokens:N0} | {peerSpeed:F1} | {speed / peerSpeed:F1} |"));
        }

        return 0;
    }

    /// <summary>Cuts behind line breaks, so that the pieces of the text stay whole.</summary>
    private static IEnumerable<string> Stretches(string text)
    {
        for (int start = 0; start < text.Length;)
        {
            int end = text.Length - start <= Stretch ? -1 : text.IndexOf('\n', start + Stretch);
            end = end < 0 ? text.Length : end + 1;
            yield return text[start..end];
            start = end;
        }
    }

    private static string Read(string path)
    {
        Stream stream = File.OpenRead(path);
        using StreamReader reader = new(path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(stream, CompressionMode.Decompress) : stream);
        return reader.ReadToEnd();
    }
}
