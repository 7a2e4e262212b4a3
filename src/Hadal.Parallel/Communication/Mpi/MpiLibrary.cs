using System.Reflection;
using System.Runtime.InteropServices;

namespace Hadal.Parallel.Communication.Mpi;

/// <summary>A loaded MPI and the constants of its binary interface, of which there are two: Open MPI's, and MPICH's, which Intel's and others share.</summary>
/// <param name="HandleSize">Bytes of a handle in an array: a pointer or an integer.</param>
/// <param name="World">MPI_COMM_WORLD.</param>
/// <param name="Byte">MPI_BYTE.</param>
/// <param name="ErrorsReturn">MPI_ERRORS_RETURN.</param>
/// <param name="InPlace">MPI_IN_PLACE.</param>
/// <param name="AnySource">MPI_ANY_SOURCE.</param>
/// <param name="StatusSource">Where the source is in an MPI_Status, in integers; the tag is behind it.</param>
internal sealed partial record MpiLibrary(int HandleSize, nint World, nint Byte, nint ErrorsReturn, nint InPlace, int AnySource, int StatusSource)
{
    /// <summary>MPI_ANY_TAG, of both.</summary>
    public const int AnyTag = -1;

    /// <summary>MPI_THREAD_FUNNELED, of both: only the thread that began MPI calls it.</summary>
    public const int Funneled = 1;

    /// <summary>Bytes that hold any library's MPI_Status (24 or 20).</summary>
    public const int StatusSize = 64;

    /// <summary>The longest text that a library writes, and its end.</summary>
    public const int TextSize = 8192 + 1;

    private static nint _loaded;

    /// <summary>Loads the library that belongs to a launcher.</summary>
    /// <exception cref="CollectiveException">It cannot be loaded, or is no MPI that is known.</exception>
    public static MpiLibrary Load(MpiLauncher launcher)
    {
        if (launcher.Library is null)
            throw new CollectiveException($"This process was started by {launcher.Name}: say srun --mpi=pmix (Open MPI) or srun --mpi=pmi2 (MPICH).");
        string? chosen = Environment.GetEnvironmentVariable(MpiLauncher.LibraryVariable);
        string name = string.IsNullOrEmpty(chosen) ? launcher.Library : chosen;
        PrepareEnvironment();
        if (!NativeLibrary.TryLoad(name, out nint library))
        {
            throw new CollectiveException(
                $"This process was started by {launcher.Name}, but {name} cannot be loaded. Install it (on Debian: apt-get install {launcher.Package}), or set "
                + $"{MpiLauncher.LibraryVariable} to its path.");
        }

        MpiLibrary known;
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out nint world))
        {
            nint bytes = NativeLibrary.GetExport(library, "ompi_mpi_byte"), errorsReturn = NativeLibrary.GetExport(library, "ompi_mpi_errors_return");
            known = new MpiLibrary(sizeof(long), world, bytes, errorsReturn, InPlace: 1, AnySource: -1, StatusSource: 0);
        }
        else if (NativeLibrary.TryGetExport(library, "MPIX_Comm_agree", out _))
        {
            known = new MpiLibrary(sizeof(int), 0x44000000, 0x4c00010d, 0x54000001, InPlace: -1, AnySource: -2, StatusSource: 2);
        }
        else
        {
            throw new CollectiveException($"{name} has neither Open MPI's nor MPICH's binary interface.");
        }

        if (Interlocked.CompareExchange(ref _loaded, library, 0) == 0) NativeLibrary.SetDllImportResolver(typeof(MpiLibrary).Assembly, Resolve);
        return known;
    }

    /// <summary>Rank of the group that sent what a status tells of.</summary>
    public unsafe int SourceOf(void* status) => ((int*)status)[StatusSource];

    /// <summary>Its tag.</summary>
    public unsafe int TagOf(void* status) => ((int*)status)[StatusSource + 1];

    // .NET keeps a copy of the environment of its own, which native code does not see: hence the C library's call. Before the library is loaded, since MPICH's brings UCX
    // with it, which looks at its settings and sets its handlers at once.
    private static void PrepareEnvironment()
    {
        // UCX would take the place of the runtime's handler of SIGSEGV, and the first null reference would end the process.
        _ = SetVariable("UCX_ERROR_SIGNALS", "", 1);

        // In the few calls that block (division of groups, end of the job) a rank leaves its core to others. Who has set it otherwise is heard.
        _ = SetVariable("OMPI_MCA_mpi_yield_when_idle", "1", 0);
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) => name == MpiNative.Library ? _loaded : 0;

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int replace);
}
