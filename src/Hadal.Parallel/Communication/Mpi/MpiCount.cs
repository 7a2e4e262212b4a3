namespace Hadal.Parallel.Communication.Mpi;

/// <summary>A number of bytes as MPI's calls take it: a count of a type. Counts are 32-bit, so more than <see cref="Largest"/> bytes are one element of a type of their own.</summary>
/// <param name="Count">Elements.</param>
/// <param name="Type">Of this type.</param>
/// <param name="IsOwned">Whether the type was made for this call, and is to be freed when that has begun.</param>
internal readonly unsafe record struct MpiCount(int Count, nint Type, bool IsOwned) : IDisposable
{
    /// <summary>Bytes that are counted one by one; less only in tests.</summary>
    public static long Largest { get; set; } = 1 << 30;

    /// <summary>The count of some bytes.</summary>
    public static MpiCount Of(long bytes, MpiLibrary library)
    {
        if (bytes <= Largest) return new MpiCount((int)bytes, library.Byte, false);

        // Whole units, and the bytes behind them.
        nint unit = 0, type = 0;
        MpiEngine.Check(MpiNative.MPI_Type_contiguous((int)Largest, library.Byte, ref unit));
        int* lengths = stackalloc int[] { checked((int)(bytes / Largest)), (int)(bytes % Largest) };
        nint* displacements = stackalloc nint[] { 0, (nint)(bytes / Largest * Largest) };
        if (library.HandleSize == sizeof(int))
        {
            int* types = stackalloc int[] { (int)unit, (int)library.Byte };
            MpiEngine.Check(MpiNative.MPI_Type_create_struct(2, lengths, displacements, types, ref type));
        }
        else
        {
            nint* types = stackalloc nint[] { unit, library.Byte };
            MpiEngine.Check(MpiNative.MPI_Type_create_struct(2, lengths, displacements, types, ref type));
        }

        MpiEngine.Check(MpiNative.MPI_Type_commit(ref type));
        MpiEngine.Check(MpiNative.MPI_Type_free(ref unit));
        return new MpiCount(1, type, true);
    }

    /// <summary>Frees the type; movements that have begun with it go on.</summary>
    public void Dispose()
    {
        if (!IsOwned) return;
        nint type = Type;
        MpiEngine.Check(MpiNative.MPI_Type_free(ref type));
    }
}
