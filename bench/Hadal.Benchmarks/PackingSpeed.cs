using System.Diagnostics;
using System.Globalization;
using Hadal.Data.Packing;

namespace Hadal.Benchmarks;

/// <summary>Time and fill of best-fit packing of many documents whose lengths are distributed as those of web pages: the logarithm is normal.</summary>
internal static class PackingSpeed
{
    private const double MeanOfLogarithm = 6.2, DeviationOfLogarithm = 1.1;

    /// <summary>Measures and prints a line.</summary>
    /// <param name="arguments">Number of documents (10⁷ if left out) and tokens of a row (4,096).</param>
    internal static int Run(ReadOnlySpan<string> arguments)
    {
        int documents = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 10_000_000;
        int capacity = arguments.Length > 1 ? int.Parse(arguments[1], CultureInfo.InvariantCulture) : 4096;
        var random = new Random(1);
        var pieces = new List<int>(documents);
        for (int i = 0; i < documents; i++)
        {
            // Box and Muller.
            double normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            int length = (int)Math.Clamp(Math.Exp(MeanOfLogarithm + DeviationOfLogarithm * normal), 1, 1 << 20);
            foreach (var piece in DocumentPieces.Cut(length, capacity)) pieces.Add(piece.Length);
        }

        var clock = Stopwatch.StartNew();
        var rows = BestFitPacker.Pack(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(pieces), capacity);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{documents:N0} documents, {pieces.Count:N0} pieces, {rows.Tokens:N0} tokens in {rows.Count:N0} rows of {capacity:N0}: {clock.Elapsed.TotalSeconds:0.0} s, {rows.Fill:0.000%} full"));
        return 0;
    }
}
