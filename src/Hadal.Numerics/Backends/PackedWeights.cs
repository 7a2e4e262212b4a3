namespace Hadal.Numerics;

/// <summary>Weights arranged by a backend for products with few rows (<see cref="IBackend.Pack"/>).</summary>
public abstract class PackedWeights : IDisposable
{
    /// <summary>Matrices in the stack: 1, or the number of experts.</summary>
    public abstract int Experts { get; }

    /// <summary>Output width N.</summary>
    public abstract int OutFeatures { get; }

    /// <summary>Input width K.</summary>
    public abstract int InFeatures { get; }

    /// <summary>Memory taken.</summary>
    public abstract long ByteLength { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the memory.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);
}
