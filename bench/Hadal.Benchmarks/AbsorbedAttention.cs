using BenchmarkDotNet.Attributes;
using Hadal.Numerics;

namespace Hadal.Benchmarks;

/// <summary>One token with 16 heads attends to 4,096 cached ones, latents of 512 and a rope key of 64. Sixteen caches take turns, as layers do.</summary>
public class AbsorbedAttention
{
    private const int Depth = 4096, Heads = 16, Rank = 512, Rope = 64, PageTokens = 64, Layers = 16;
    private readonly Tensor[] _caches = new Tensor[Layers];
    private KernelLab _lab = null!;
    private Tensor _query, _queryRope, _pages, _sequences, _lengths, _output;
    private int _turn;

    [Params(DType.F32, DType.BF16, DType.F8E4M3)]
    public DType Cache { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _lab = new KernelLab();
        (_query, _queryRope, _output) = (_lab.Filled(1, Heads * Rank), _lab.Filled(Heads, Rope), _lab.Empty(1, Heads * Rank));
        _pages = _lab.IntegerTable([.. Enumerable.Range(0, Depth / PageTokens)], Depth / PageTokens);
        (_sequences, _lengths) = (_lab.Integers(0), _lab.Integers(Depth));
        var latents = _lab.Filled(Depth, Rank + Rope);
        for (int l = 0; l < Layers; l++)
        {
            _caches[l] = _lab.Rows(Cache, Depth, LatentFormat.Columns(Cache, Rank, Rope));
            _lab.Backend.WriteLatents(latents, Rank, _caches[l]);
        }
    }

    [GlobalCleanup]
    public void Release() => _lab.Dispose();

    [Benchmark]
    public void LatentAttention() =>
        _lab.Backend.LatentAttention(_query, _queryRope, _caches[_turn++ % Layers], PageTokens, _pages, _sequences, _lengths, Heads, 0.07f, _output);
}
