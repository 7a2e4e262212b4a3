namespace Hadal.Numerics;

/// <summary>Storage that the processor can address. Everything outside Hadal.Numerics sees only <see cref="Storage"/>.</summary>
internal abstract unsafe class CpuStorage : Storage
{
    /// <summary>First byte, valid until the storage is disposed.</summary>
    internal abstract byte* Pointer { get; }
}
