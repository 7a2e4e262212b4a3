namespace Hadal.Numerics.Tests.Assembly;

/// <summary>The memory that an interpreted kernel may touch: pieces of this process's own, named by whoever runs the kernel. Any other access is an error.</summary>
internal sealed unsafe class MachineMemory
{
    private readonly List<(ulong Start, ulong End)> _pieces = [];

    public void Allow(void* start, long bytes) => _pieces.Add(((ulong)start, (ulong)start + (ulong)bytes));

    public byte* At(ulong address, int bytes)
    {
        foreach (var (start, end) in _pieces)
        {
            if (address >= start && address + (ulong)bytes <= end) return (byte*)address;
        }

        throw new InvalidOperationException($"The kernel touches {bytes} bytes at {address:X}, which are not its own.");
    }
}
