using Hadal.Numerics;
using Hadal.Parallel.Communication;
using Hadal.Training.Optimization;
using Hadal.Training.Parameters;

namespace Hadal.Parallel.Sharding;

/// <summary>Parameters of which several ranks have copies: each rank sums the gradients of one part, keeps the moments of that part alone and updates it, and gives it to the others (ZeRO-1).</summary>
/// <remarks>
/// Weights are FP32 and serve the products themselves, so that masters and weights are one; what is sharded is their update. Gradients of a part are summed in the order of ranks, which is where the
/// last bits differ from those of one rank that takes the micro-batches one after the other.
/// </remarks>
internal sealed class ShardedParameters : IDisposable
{
    private readonly IBackend _backend;
    private readonly ICollective _copies;
    private readonly OptimizerSettings _settings;
    private readonly Storage _storage;
    private readonly Tensor _firstMoments, _secondMoments;
    private readonly long _first, _count;

    /// <summary>Lays the parameters out and makes the moments of this rank's part.</summary>
    /// <param name="backend">Where they are.</param>
    /// <param name="parameters">Declared in the same order on every rank that has a copy.</param>
    /// <param name="copies">These ranks.</param>
    /// <param name="settings">Of AdamW.</param>
    /// <param name="moments">Their type.</param>
    public ShardedParameters(IBackend backend, ParameterSet parameters, ICollective copies, OptimizerSettings settings, DType moments)
    {
        (_backend, _copies, _settings, Parameters) = (backend, copies, settings, parameters);
        parameters.Commit(moments: null, copies.Size);
        _count = parameters.Count / copies.Size;
        _first = _count * copies.Rank;
        _storage = backend.CreateStorage(2 * _count * moments.SizeOf());
        _firstMoments = _storage.View(0, moments, new Shape(_count));
        _secondMoments = _storage.View(_count * moments.SizeOf(), moments, new Shape(_count));
    }

    public ParameterSet Parameters { get; }

    /// <summary>The moments of this rank's part; empty of elements where there are no parameters.</summary>
    public (Tensor First, Tensor Second) Moments => (_firstMoments, _secondMoments);

    /// <summary>The ranks that have a copy.</summary>
    public ICollective Copies => _copies;

    private Tensor Part(Tensor vector) => vector.ElementRange(_first, _count);

    /// <summary>Sums the gradients of this rank's part over all copies.</summary>
    /// <param name="staging">F32: memory for what arrives.</param>
    /// <returns>Σ of the squares of the part's gradients.</returns>
    public double Reduce(Tensor staging)
    {
        if (_count == 0) return 0;
        _copies.ReduceScatter(_backend, Parameters.Gradients, staging);
        return _backend.SumOfSquares(Part(Parameters.Gradients));
    }

    /// <summary>Updates this rank's part and fetches the others'; the gradients are zero afterwards.</summary>
    public void Step(AdamWStep rates)
    {
        if (_count == 0) return;
        foreach (var region in Parameters.Regions)
        {
            // Padding belongs to no region and stays zero.
            long first = Math.Max(region.Offset, _first), end = Math.Min(region.Offset + region.Count, _first + _count);
            if (first >= end) continue;
            _backend.AdamW(
                Parameters.Weights.ElementRange(first, end - first), Parameters.Gradients.ElementRange(first, end - first), _firstMoments.ElementRange(first - _first, end - first),
                _secondMoments.ElementRange(first - _first, end - first), region.IsVector && !_settings.DecayNorms ? rates with { WeightDecay = 0 } : rates);
        }

        _copies.AllGather(Part(Parameters.Weights), Parameters.Weights).Wait();
        Discard();
    }

    /// <summary>Zeroes the gradients without using them.</summary>
    public void Discard()
    {
        if (Parameters.Count > 0) _backend.Clear(Parameters.Gradients);
    }

    /// <summary>The part of a moment of every copy put together: what one rank would have.</summary>
    /// <param name="second">Which moment.</param>
    /// <param name="whole">As many elements as there are parameters.</param>
    public void GatherMoments(bool second, Tensor whole)
    {
        if (_count > 0) _copies.AllGather(second ? _secondMoments : _firstMoments, whole).Wait();
    }

    /// <summary>Whether some elements of the parameters lie in this rank's part.</summary>
    public bool PartOverlaps(long first, long count) => first < _first + _count && first + count > _first;

    /// <summary>Takes this rank's part out of a whole moment.</summary>
    public void SetMoments(bool second, Tensor whole)
    {
        if (_count > 0) _backend.Copy(Part(whole), second ? _secondMoments : _firstMoments);
    }

    public void Dispose()
    {
        Parameters.Dispose();
        _storage.Dispose();
    }
}
