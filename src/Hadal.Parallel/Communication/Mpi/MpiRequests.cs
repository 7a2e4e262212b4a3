using System.Runtime.InteropServices;
using System.Text;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>What one request moves.</summary>
/// <param name="Operation">The operation that it is part of.</param>
/// <param name="What">Message or operation, as failures are told.</param>
internal readonly record struct MpiMovement(MpiOperation Operation, string What);

/// <summary>Requests under way: handles side by side, as MPI asks for them, and what each moves. Used by the one thread that calls MPI.</summary>
internal sealed unsafe class MpiRequests : IDisposable
{
    private readonly MpiLibrary _library;
    private byte* _handles;
    private MpiMovement[] _movements = new MpiMovement[64];

    public MpiRequests(MpiLibrary library)
    {
        _library = library;
        _handles = (byte*)NativeMemory.AllocZeroed((nuint)(_movements.Length * library.HandleSize));
    }

    /// <summary>How many.</summary>
    public int Count { get; private set; }

    /// <summary>Where the next handle is to be written; it counts when <see cref="Add"/> says so.</summary>
    public void* Next()
    {
        if (Count == _movements.Length)
        {
            Array.Resize(ref _movements, 2 * Count);
            _handles = (byte*)NativeMemory.Realloc(_handles, (nuint)(_movements.Length * _library.HandleSize));
        }

        byte* handle = _handles + Count * _library.HandleSize;
        new Span<byte>(handle, _library.HandleSize).Clear();
        return handle;
    }

    /// <summary>The request at <see cref="Next"/> has begun.</summary>
    public void Add(MpiMovement movement)
    {
        movement.Operation.Begin();
        _movements[Count++] = movement;
    }

    /// <summary>Lets MPI work, and takes one request that has ended.</summary>
    /// <param name="rank">World rank of this process, for messages.</param>
    /// <param name="status">Memory for what MPI says of it.</param>
    /// <returns>False if none has.</returns>
    public bool TakeEnded(int rank, void* status)
    {
        int result = MpiNative.MPI_Testany(Count, _handles, out int index, out int isComplete, status);
        if (result != 0 && (uint)index >= (uint)Count) throw new CollectiveException($"MPI does not say which transfer failed: {ErrorText(result)}.");
        if (result == 0 && isComplete == 0) return false;
        var movement = _movements[index];
        var failure = result == 0 ? null : new TransferFailure($"A transfer of rank {rank} failed ({movement.What}): {ErrorText(result)}.", null);
        Count--;
        if (index < Count)
        {
            _movements[index] = _movements[Count];
            Buffer.MemoryCopy(_handles + Count * _library.HandleSize, _handles + index * _library.HandleSize, _library.HandleSize, _library.HandleSize);
        }

        _movements[Count] = default;
        movement.Operation.End(failure);
        return true;
    }

    /// <summary>What an error code means.</summary>
    public static string ErrorText(int code)
    {
        byte* text = stackalloc byte[MpiLibrary.TextSize];
        return MpiNative.MPI_Error_string(code, text, out int length) == 0 ? Encoding.UTF8.GetString(text, length) : $"error {code}";
    }

    public void Dispose() => NativeMemory.Free(_handles);
}
