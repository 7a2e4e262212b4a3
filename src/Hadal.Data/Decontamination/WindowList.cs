namespace Hadal.Data.Decontamination;

/// <summary>A growing list of windows and the parts that hold them.</summary>
internal sealed class WindowList
{
    private ulong[] _hashes = [];
    private int[] _parts = [];
    private int _count;

    public void Add(ulong hash, int part)
    {
        if (_count == _hashes.Length)
        {
            int length = Math.Max(1024, _count * 2);
            Array.Resize(ref _hashes, length);
            Array.Resize(ref _parts, length);
        }

        _hashes[_count] = hash;
        _parts[_count++] = part;
    }

    /// <summary>The table of them; null if there are none. The list is empty after it.</summary>
    public WindowTable? Table(int[] windowsOfPart)
    {
        WindowTable? table = _count == 0 ? null : new WindowTable(_hashes, _parts, _count, windowsOfPart);
        (_hashes, _parts, _count) = ([], [], 0);
        return table;
    }
}
