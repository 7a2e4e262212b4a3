namespace Hadal.Numerics;

/// <summary>Weights arranged by a backend for inference (<see cref="IBackend.CreatePacked"/>). Each matrix is filled, and may be released, on its own.</summary>
public abstract class PackedWeights : IDisposable
{
    /// <summary>How the weights are held.</summary>
    public abstract WeightFormat Format { get; }

    /// <summary>Matrices in the stack: 1, or the number of experts.</summary>
    public abstract int Experts { get; }

    /// <summary>Output width N.</summary>
    public abstract int OutFeatures { get; }

    /// <summary>Input width K.</summary>
    public abstract int InFeatures { get; }

    /// <summary>Memory taken by the matrices that are there.</summary>
    public abstract long ByteLength { get; }

    /// <summary>Memory that one matrix takes.</summary>
    public abstract long MatrixBytes { get; }

    /// <summary>The weights that are usually multiplied after these; threads that wait while these are at work fetch them into their caches. Only a hint.</summary>
    public PackedWeights? Next { get; set; }

    /// <summary>Whether a matrix is filled.</summary>
    /// <param name="matrix">Which.</param>
    /// <returns>False before it is filled, and after it is released.</returns>
    public abstract bool IsPresent(int matrix);

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
