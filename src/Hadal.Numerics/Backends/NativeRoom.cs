using System.Numerics;
using System.Runtime.InteropServices;

namespace Hadal.Numerics;

/// <summary>Memory outside the managed heap that an operation uses again and again; grows to the largest need. What it holds is lost when it grows.</summary>
internal sealed unsafe class NativeRoom : IDisposable
{
    private byte* _memory;
    private nuint _length;

    ~NativeRoom() => Free();

    /// <summary>At least so many bytes, aligned to cache lines.</summary>
    public byte* Get(nint bytes)
    {
        if (_length >= (nuint)bytes && _memory != null) return _memory;
        Free();
        _length = BitOperations.RoundUpToPowerOf2((nuint)Math.Max(bytes, 4096));
        _memory = (byte*)NativeMemory.AlignedAlloc(_length, 64);
        return _memory;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _length = 0;
    }
}
