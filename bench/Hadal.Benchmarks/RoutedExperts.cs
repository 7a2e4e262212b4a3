using BenchmarkDotNet.Attributes;
using Hadal.Numerics;

namespace Hadal.Benchmarks;

/// <summary>Tokens through 32 experts of width 512 (hidden size 1024), four for each token, unevenly chosen.</summary>
public class RoutedExperts
{
    private const int Hidden = 1024, Inner = 512, Experts = 32, Choices = 4;
    private KernelLab _lab = null!;
    private PackedWeights _gateUp = null!, _down = null!;
    private Tensor _x, _y, _offsets, _slots, _gates;

    [Params(1, 16, 512)]
    public int Tokens { get; set; }

    [ParamsAllValues]
    public WeightFormat Format { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _lab = new KernelLab();
        int rows = Tokens * Choices;
        var random = new Random(2);
        var chosen = new int[rows];
        for (int t = 0; t < Tokens; t++)
        {
            // Low experts twice as often as high ones, in the mean; a token's differ.
            for (int c = 0; c < Choices; c++)
            {
                int expert;
                do expert = (int)(Experts * Math.Pow(random.NextDouble(), 1.5));
                while (chosen.AsSpan(t * Choices, c).Contains(expert));
                chosen[t * Choices + c] = expert;
            }
        }

        (_offsets, _slots) = (_lab.Integers(new int[Experts + 1]), _lab.Integers(new int[rows]));
        _lab.Backend.SortByExpert(_lab.IntegerTable(chosen, Choices), _offsets, _slots, _lab.Integers(new int[rows]));
        (_x, _y, _gates) = (_lab.Filled(Tokens, Hidden), _lab.Empty(rows, Hidden), _lab.Filled(Tokens, Choices));
        (_gateUp, _down) = (_lab.Packed(Format, Experts, 2 * Inner, Hidden), _lab.Packed(Format, Experts, Hidden, Inner));
    }

    [GlobalCleanup]
    public void Release() => _lab.Dispose();

    [Benchmark]
    public void ExpertMlp() => _lab.Backend.ExpertMlp(_x, _slots, Choices, _offsets, _gateUp, _down, _gates, _y);
}
