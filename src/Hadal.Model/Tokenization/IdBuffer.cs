using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hadal.Model.Tokenization;

/// <summary>Ids on their way to a list, some thousand at a time.</summary>
internal ref struct IdBuffer(int[] ids, List<int> destination)
{
    /// <summary>How many ids may be written at <see cref="Next"/> before they are taken.</summary>
    internal const int Room = 4;

    private readonly ref int _ids = ref MemoryMarshal.GetArrayDataReference(ids);
    private readonly int _full = ids.Length - Room;
    private int _count;

    /// <summary>Where the next ids go; there is room for <see cref="Room"/>, and only those that are taken count.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref int Next()
    {
        if (_count > _full) Flush();
        return ref Unsafe.Add(ref _ids, _count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Take(int count) => _count += count;

    /// <summary>The list, which has all ids taken so far; what is appended to it comes next.</summary>
    internal List<int> Flushed()
    {
        Flush();
        return destination;
    }

    private void Flush()
    {
        destination.AddRange(ids.AsSpan(0, _count));
        _count = 0;
    }
}
