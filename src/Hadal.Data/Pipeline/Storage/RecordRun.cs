using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Hadal.Data.Pipeline.Storage;

/// <summary>A sorted file of records, read from a range of leading keys with a small buffer.</summary>
internal sealed class RecordRun<T> : IDisposable where T : unmanaged, IRecord<T>
{
    private const int BufferBytes = 16 << 10;
    private readonly SafeFileHandle _file;
    private readonly T[] _buffer = new T[Math.Max(1, BufferBytes / Unsafe.SizeOf<T>())];
    private readonly long _end;
    private long _next;
    private int _at, _held;

    /// <param name="path">The file.</param>
    /// <param name="from">Leading keys begin here.</param>
    /// <param name="last">And end here, this one included.</param>
    public RecordRun(string path, ulong from = 0, ulong last = ulong.MaxValue)
    {
        _file = File.OpenHandle(path);
        long count = RandomAccess.GetLength(_file) / Unsafe.SizeOf<T>();
        _next = from == 0 ? 0 : LowerBound(from, count);
        _end = last == ulong.MaxValue ? count : LowerBound(last + 1, count);
    }

    public T Current => _buffer[_at];

    /// <summary>Goes to the next record.</summary>
    public bool Next()
    {
        if (++_at < _held) return true;
        int wanted = (int)Math.Min(_buffer.Length, _end - _next);
        if (wanted <= 0) return false;
        Read(_next, _buffer.AsSpan(0, wanted));
        (_next, _at, _held) = (_next + wanted, 0, wanted);
        return true;
    }

    public void Dispose() => _file.Dispose();

    // The first record whose leading key is not below a value.
    private long LowerBound(ulong key, long count)
    {
        long low = 0, high = count;
        Span<T> one = stackalloc T[1];
        while (low < high)
        {
            long middle = (low + high) / 2;
            Read(middle, one);
            if (one[0].Leading < key) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private void Read(long first, Span<T> records) => FileBytes.Read(_file, MemoryMarshal.AsBytes(records), first * Unsafe.SizeOf<T>());
}
