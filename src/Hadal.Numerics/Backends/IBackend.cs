namespace Hadal.Numerics;

/// <summary>The narrow waist: every operation that model, training and inference code is written against.</summary>
public partial interface IBackend : IDisposable
{
    /// <summary>Zeroed memory that this backend computes on.</summary>
    /// <param name="byteLength">Length in bytes.</param>
    /// <returns>The storage, owned by the caller.</returns>
    Storage CreateStorage(long byteLength);
}
