using Hadal.Numerics;

namespace Hadal.Parallel.Communication;

/// <summary>Addresses of tensors, for what moves their bytes: the only raw memory of this room's in-process part.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>Bytes of a contiguous tensor.</summary>
    public static long ByteLength(Tensor values) => values.Count * values.Type.SizeOf();

    /// <summary>The first byte, valid as long as the tensor's storage.</summary>
    public static byte* Address(Tensor values) => values.Storage is CpuStorage storage
        ? storage.Pointer + values.ByteOffset
        : throw new NotSupportedException($"{values} does not lie in memory that the processor addresses ({values.Storage.GetType().Name}).");

    /// <summary>Copies a contiguous tensor's bytes to another of as many, which may be the same place.</summary>
    public static void Copy(Tensor source, Tensor destination)
    {
        long bytes = ByteLength(destination);
        if (bytes == 0) return;
        byte* from = Address(source), to = Address(destination);
        if (from != to) Buffer.MemoryCopy(from, to, bytes, bytes);
    }
}
