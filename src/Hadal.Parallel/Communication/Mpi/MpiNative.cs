using System.Runtime.InteropServices;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>The functions of MPI that are used, in the form that Open MPI and MPICH share.</summary>
/// <remarks>
/// A handle is a pointer in Open MPI and a 32-bit integer in MPICH: it travels as <see cref="nint"/>, of which MPICH reads and writes the lower half. What is written
/// has to be zero before. Which library the name stands for is settled by <see cref="MpiLibrary"/>.
/// </remarks>
internal static unsafe partial class MpiNative
{
    public const string Library = "mpi";

    [LibraryImport(Library)]
    public static partial int MPI_Init_thread(int* argc, byte*** argv, int required, out int provided);

    [LibraryImport(Library)]
    public static partial int MPI_Finalize();

    [LibraryImport(Library)]
    public static partial int MPI_Abort(nint comm, int code);

    [LibraryImport(Library)]
    public static partial int MPI_Get_library_version(byte* text, out int length);

    [LibraryImport(Library)]
    public static partial int MPI_Get_processor_name(byte* text, out int length);

    [LibraryImport(Library)]
    public static partial int MPI_Error_string(int code, byte* text, out int length);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_rank(nint comm, out int rank);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_size(nint comm, out int size);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_set_errhandler(nint comm, nint handler);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_dup(nint comm, ref nint copy);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_split(nint comm, int color, int key, ref nint part);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_free(ref nint comm);

    [LibraryImport(Library)]
    public static partial int MPI_Comm_group(nint comm, ref nint group);

    [LibraryImport(Library)]
    public static partial int MPI_Group_translate_ranks(nint group, int count, int* ranks, nint other, int* otherRanks);

    [LibraryImport(Library)]
    public static partial int MPI_Group_free(ref nint group);

    [LibraryImport(Library)]
    public static partial int MPI_Type_contiguous(int count, nint type, ref nint newType);

    [LibraryImport(Library)]
    public static partial int MPI_Type_create_struct(int count, int* lengths, nint* displacements, void* types, ref nint newType);

    [LibraryImport(Library)]
    public static partial int MPI_Type_commit(ref nint type);

    [LibraryImport(Library)]
    public static partial int MPI_Type_free(ref nint type);

    [LibraryImport(Library)]
    public static partial int MPI_Isend(void* values, int count, nint type, int destination, int tag, nint comm, void* request);

    [LibraryImport(Library)]
    public static partial int MPI_Improbe(int source, int tag, nint comm, out int isThere, ref nint message, void* status);

    [LibraryImport(Library)]
    public static partial int MPI_Imrecv(void* values, int count, nint type, ref nint message, void* request);

    [LibraryImport(Library)]
    public static partial int MPI_Iallgather(void* part, int partCount, nint partType, void* whole, int count, nint type, nint comm, void* request);

    [LibraryImport(Library)]
    public static partial int MPI_Ibcast(void* values, int count, nint type, int root, nint comm, void* request);

    [LibraryImport(Library)]
    public static partial int MPI_Ibarrier(nint comm, void* request);

    [LibraryImport(Library)]
    public static partial int MPI_Testany(int count, void* requests, out int index, out int isComplete, void* status);

    [LibraryImport(Library)]
    public static partial int MPI_Iprobe(int source, int tag, nint comm, out int isThere, void* status);

    [LibraryImport(Library)]
    public static partial int MPI_Get_elements_x(void* status, nint type, out long count);
}
