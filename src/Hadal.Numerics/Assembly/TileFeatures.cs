using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Assembly;

/// <summary>Whether this process may use tiles (AMX): the processor has them, the operating system saves them, and the kernel has granted them.</summary>
/// <remarks>
/// Linux gives a process tiles on request only (arch_prctl, ARCH_REQ_XCOMP_PERM, its x86 documentation "Using XSTATE features in user space applications"); the first tile
/// instruction without that permission ends the process. So every check comes before the first such instruction, and whoever finds a refusal executes none.
/// </remarks>
internal static unsafe partial class TileFeatures
{
    private const int TileData = 18, ArchPrctl = 158, RequestPermission = 0x1023;
    private const ulong TileState = 1ul << 17 | 1ul << TileData;

    private static readonly Lazy<TileProcessor> _processor = new(Processor);
    private static readonly Lazy<string?> _refusal = new(() => Check(_processor.Value, OperatingSystem.IsLinux(), EnabledState, Request));

    /// <summary>Why tiles of bytes cannot be used; null if they can. The first look asks the system for permission.</summary>
    public static string? ByteRefusal => _refusal.Value;

    /// <summary>Why tiles of bfloat16 cannot be used; null if they can. They come with tiles of bytes.</summary>
    public static string? BFloat16Refusal => ByteRefusal ?? (_processor.Value.HasBFloat16Tiles ? null : "the processor has no AMX-BF16");

    /// <summary>The checks, in their order; each runs only if those before it have passed.</summary>
    /// <param name="processor">What CPUID says.</param>
    /// <param name="isLinux">Whether the system is one that this code can ask for permission.</param>
    /// <param name="enabledState">Reads XCR0.</param>
    /// <param name="request">Asks the system; 0 if it grants tiles, otherwise an error.</param>
    internal static string? Check(in TileProcessor processor, bool isLinux, Func<ulong> enabledState, Func<int> request)
    {
        if (!processor.HasByteTiles) return "the processor has no AMX-INT8";
        if (processor is not { Tiles: >= 8, RowBytes: >= 64, Rows: >= 16 }) return $"its tiles are {processor.Tiles} of {processor.Rows} rows of {processor.RowBytes} bytes, fewer or smaller than 8 of 16 rows of 64";
        if (!isLinux) return "only Linux is asked for them";
        if (!processor.HasXgetbv) return "the operating system does not save extended registers";
        if ((enabledState() & TileState) != TileState) return "the operating system does not save tiles";
        int error = request();
        return error == 0 ? null : $"the system does not grant tiles (error {error})";
    }

    private static TileProcessor Processor()
    {
        if (!X86Base.IsSupported || !X86Base.X64.IsSupported || ExecutableMemory.Refusal is not null || X86Base.CpuId(0, 0).Eax < 0x1D) return default;
        var (_, _, _, features) = X86Base.CpuId(7, 0);
        var (_, sizes, rows, _) = X86Base.CpuId(0x1D, 1);
        const int both = 1 << 24 | 1 << 25;
        return new TileProcessor((features & both) == both, (features >> 22 & 1) != 0, (X86Base.CpuId(1, 0).Ecx >> 27 & 1) != 0, sizes >>> 16, sizes & 0xFFFF, rows & 0xFFFF);
    }

    private static ulong EnabledState()
    {
        ulong state = 0;
        ((delegate* unmanaged[SuppressGCTransition]<void*, void>)new XgetbvCode().Place())(&state);
        return state;
    }

    private static int Request() => SystemCall(ArchPrctl, RequestPermission, TileData) == 0 ? 0 : Math.Max(1, Marshal.GetLastPInvokeError());

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(nint number, nint first, nint second);

    /// <summary>Reads XCR0 to where the argument points.</summary>
    private sealed class XgetbvCode : KernelCode
    {
        protected override void Write()
        {
            Code.xor(ecx, ecx);
            Code.xgetbv();
            Code.shl(rdx, 32);
            Code.or(rax, rdx);
            Code.mov(__qword_ptr[Argument], rax);
        }
    }
}

/// <summary>What CPUID says about tiles (Intel's Software Developer's Manual, volume 2A, leaves 1, 7 and 1DH).</summary>
/// <param name="HasByteTiles">AMX-TILE and AMX-INT8.</param>
/// <param name="HasBFloat16Tiles">AMX-BF16.</param>
/// <param name="HasXgetbv">The operating system has switched XGETBV on.</param>
/// <param name="Tiles">Tiles of palette 1.</param>
/// <param name="RowBytes">Bytes of a row.</param>
/// <param name="Rows">Rows of a tile.</param>
internal readonly record struct TileProcessor(bool HasByteTiles, bool HasBFloat16Tiles, bool HasXgetbv, int Tiles, int RowBytes, int Rows);
