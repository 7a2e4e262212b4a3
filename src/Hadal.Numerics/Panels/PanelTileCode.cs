using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Kernels;

/// <summary>The micro-kernel on tiles (AMX-INT8, AMX-BF16): up to 32 rows times one or two panels of bytes, or of bfloat16 in the order of tiles.</summary>
/// <remarks>
/// <para>
/// A panel's codes [k/4][16][4] are the right operand of TDPBSUD as they lie. A block's sums are 32-bit integers, exact in any order, so the bits are those of
/// <see cref="PanelKernelCode"/>. Tiles have no other arithmetic: sums go through memory to 512-bit registers, where the block is scaled and added to C.
/// </para>
/// <para>bfloat16 pairs [k/2][16][2] are the right operand of TDPBF16PS as they lie; C stays in the tiles over all blocks.</para>
/// <para>
/// Tiles: tmm0 … tmm3 sums (panel · 2 + half of the rows), tmm4 and tmm5 rows, tmm6 and tmm7 panels. rax panel 0, rdx bytes between panels, rcx 64; r8 and r9 rows 0 and 16
/// of the activations, rsi bytes between them; r10 counts rows; r11 memory of the sums; r12 block values, r13 bytes between their rows; rdi C, rbp bytes between its rows;
/// rbx, r14, r15 walk along rows; [rsp] blocks. zmm24 … zmm27 scales and minima.
/// </para>
/// </remarks>
internal sealed unsafe class PanelTileCode : KernelCode
{
    /// <summary>Rows of the largest kernel.</summary>
    public const int MaxRows = 32;

    /// <summary>Panels of the widest kernel.</summary>
    public const int MaxPanels = 2;

    /// <summary>Bytes of the sums' memory, which <see cref="PanelCall.Constants"/> points to.</summary>
    public const int SumBytes = MaxRows * MaxPanels * 64;

    /// <summary>Bytes of <see cref="Configuration"/>.</summary>
    public const int ConfigBytes = 64;

    private const int TileRows = 16, TileBytes = 64;

    private readonly PanelFormat _format;
    private readonly int _rows;
    private readonly int _panels;

    /// <param name="format">One that <see cref="Supports"/> knows.</param>
    /// <param name="rows">1 … 32.</param>
    /// <param name="panels">1 or 2.</param>
    public PanelTileCode(PanelFormat format, int rows, int panels) => (_format, _rows, _panels) = (format, rows, panels);

    /// <summary>The tiles' shapes, which the code reads; null until it is written.</summary>
    public byte* Configuration { get; private set; }

    private int Halves => (_rows + TileRows - 1) / TileRows;

    private bool IsByte => _format.HasByteActivations;

    // k values of a tile: a block may be shorter than a tile is wide.
    private int Depth => IsByte ? Math.Min(TileBytes, _format.Block) : TileBytes / 2;

    /// <summary>Whether there are kernels for a format: bytes with scales that these properties describe, or bfloat16 in the order of tiles.</summary>
    public static bool Supports(in PanelFormat format) => format == PanelFormat.BFloat16InTiles
        || format.Element == PanelElement.Byte && format.ScaleSize > 0 && (format.Block % TileBytes == 0 || format.Block is 16 or 32)
        && format == new PanelFormat(format.Element, format.Block, format.ScaleSize, format.ZeroPoint, format.HasMinimum);

    protected override void Write()
    {
        LoadArguments();
        if (IsByte) ClearC();
        Code.ldtilecfg(__[r14]);
        if (!IsByte) LoadSums();
        var block = Code.CreateLabel();
        Code.Label(ref block);
        if (IsByte) ForEachSum(sum => Code.tilezero(Tile(sum)));
        MultiplyBlock();
        if (IsByte) FinishBlock();
        Code.dec(__qword_ptr[rsp]);
        Code.jnz(block);
        if (!IsByte) ForEachC((sum, c) => Code.tilestored(c, Tile(sum)));
        Code.tilerelease();
    }

    private static AssemblerRegisterTMM Tile(int index) => new(Register.TMM0 + index);

    private static AssemblerRegisterZMM Vector(int index) => new(Register.ZMM0 + index);

    private void LoadArguments()
    {
        var argument = Argument;
        Code.mov(rax, Field(nameof(PanelCall.Blocks)));
        Code.mov(__qword_ptr[rsp], rax);
        Code.mov(rax, Field(nameof(PanelCall.Right)));
        Code.mov(rdx, Field(nameof(PanelCall.PanelStride)));
        Code.mov(ecx, TileBytes);
        Code.mov(rsi, Field(nameof(PanelCall.LeftStride)));
        Code.mov(r8, Field(nameof(PanelCall.Left)));
        Code.mov(r9, rsi);
        Code.shl(r9, 4);
        Code.add(r9, r8);
        Code.mov(r11, Field(nameof(PanelCall.Constants)));
        Code.mov(r12, Field(nameof(PanelCall.Values)));
        Code.mov(r13, Field(nameof(PanelCall.ValueStride)));
        Code.mov(rbp, Field(nameof(PanelCall.CStride)));
        Configuration = MakeConfiguration();
        Code.mov(r14, (long)Configuration);
        Code.mov(r15, Field(nameof(PanelCall.Accumulate)));
        Code.mov(rdi, Field(nameof(PanelCall.C)));
        Code.test(r15, r15);

        AssemblerMemoryOperand Field(string name) => __qword_ptr[argument + (int)Marshal.OffsetOf<PanelCall>(name)];
    }

    // Palette 1: bytes of a row at 16 + 2·tile, rows at 48 + tile. Lives as long as the kernel, which is for ever.
    private byte* MakeConfiguration()
    {
        byte* configuration = (byte*)NativeMemory.AlignedAlloc(ConfigBytes, ConfigBytes);
        new Span<byte>(configuration, ConfigBytes).Clear();
        configuration[0] = 1;
        for (int half = 0; half < Halves; half++)
        {
            int rows = Math.Min(TileRows, _rows - half * TileRows);
            for (int panel = 0; panel < _panels; panel++) Set(Sum(panel, half), rows, TileBytes);
            Set(4 + half, rows, Depth * _format.ActivationSize);
        }

        for (int panel = 0; panel < _panels; panel++) Set(6 + panel, Depth / _format.GroupDepth, TileBytes);
        return configuration;

        void Set(int tile, int rows, int bytes)
        {
            *(ushort*)(configuration + 16 + 2 * tile) = (ushort)bytes;
            configuration[48 + tile] = (byte)rows;
        }
    }

    private static int Sum(int panel, int half) => panel * 2 + half;

    // The flags tell whether to accumulate.
    private void ClearC()
    {
        var kept = Code.CreateLabel();
        Code.jnz(kept);
        Code.vpxord(Vector(0), Vector(0), Vector(0));
        Code.mov(r15, rdi);
        for (int row = 0; row < _rows; row++)
        {
            for (int panel = 0; panel < _panels; panel++) Code.vmovups(__zmmword_ptr[r15 + panel * 64], Vector(0));
            Code.add(r15, rbp);
        }

        Code.Label(ref kept);
        Code.nop();
    }

    private void ForEachSum(Action<int> action)
    {
        for (int panel = 0; panel < _panels; panel++)
        {
            for (int half = 0; half < Halves; half++) action(Sum(panel, half));
        }
    }

    // Sixteen rows of a panel's columns of C; r15 stands at the half's first row.
    private void ForEachC(Action<int, AssemblerMemoryOperand> action)
    {
        Code.mov(r15, rdi);
        for (int half = 0; half < Halves; half++)
        {
            for (int panel = 0; panel < _panels; panel++) action(Sum(panel, half), __[r15 + rbp + panel * 64]);
            if (half + 1 == Halves) break;
            Code.mov(r14, rbp);
            Code.shl(r14, 4);
            Code.add(r15, r14);
        }
    }

    // The flags still tell whether to accumulate: the configuration does not touch them.
    private void LoadSums()
    {
        var add = Code.CreateLabel();
        var ready = Code.CreateLabel();
        Code.jnz(add);
        ForEachSum(sum => Code.tilezero(Tile(sum)));
        Code.jmp(ready);
        Code.Label(ref add);
        ForEachC((sum, c) => Code.tileloadd(Tile(sum), c));
        Code.Label(ref ready);
        Code.nop();
    }

    private void MultiplyBlock()
    {
        if (_panels > 1) Code.lea(r15, __[rax + rdx]);
        for (int k = 0; k < _format.Block; k += Depth)
        {
            for (int panel = 0; panel < _panels; panel++) Code.tileloadd(Tile(6 + panel), __[(panel == 0 ? rax : r15) + rcx + k / _format.GroupDepth * 64]);
            for (int half = 0; half < Halves; half++)
            {
                Code.tileloadd(Tile(4 + half), __[(half == 0 ? r8 : r9) + rsi + k * _format.ActivationSize]);
                for (int panel = 0; panel < _panels; panel++)
                {
                    if (IsByte) Code.tdpbsud(Tile(Sum(panel, half)), Tile(4 + half), Tile(6 + panel));
                    else Code.tdpbf16ps(Tile(Sum(panel, half)), Tile(4 + half), Tile(6 + panel));
                }
            }
        }

        Code.add(r8, _format.Block * _format.ActivationSize);
        Code.add(r9, _format.Block * _format.ActivationSize);
        Code.add(rax, _format.CodeBytes);
    }

    // c += (sum + the row's offset) · (row's scale · column's scale), then - (row's sum) · column's minimum.
    private void FinishBlock()
    {
        ForEachSum(sum => Code.tilestored(__[r11 + rcx + sum * TileRows * 64], Tile(sum)));
        for (int panel = 0; panel < _panels; panel++)
        {
            var start = panel == 0 ? __[rax] : __[rax + rdx];
            LoadScale(Vector(24 + panel), start);
            if (_format.HasMinimum) LoadScale(Vector(26 + panel), start + 16 * _format.ScaleSize);
        }

        Code.mov(rbx, r11);
        Code.mov(r14, r12);
        Code.mov(r15, rdi);
        Code.mov(r10d, _rows);
        var row = Code.CreateLabel();
        Code.Label(ref row);
        for (int panel = 0; panel < _panels; panel++)
        {
            var (sum, scale, c) = (Vector(2 * panel), Vector(2 * panel + 1), __zmmword_ptr[r15 + panel * 64]);
            Code.vmovdqu32(sum, __zmmword_ptr[rbx + Sum(panel, 0) * TileRows * 64]);
            Code.vpaddd(sum, sum, __dword_bcst[r14 + (int)Marshal.OffsetOf<ActivationBlock>(nameof(ActivationBlock.Offset))]);
            Code.vcvtdq2ps(sum, sum);
            Code.vmulps(scale, Vector(24 + panel), __dword_bcst[r14]);
            Code.vfmadd213ps(sum, scale, c);
            if (_format.HasMinimum) Code.vfnmadd231ps(sum, Vector(26 + panel), __dword_bcst[r14 + (int)Marshal.OffsetOf<ActivationBlock>(nameof(ActivationBlock.Sum))]);
            Code.vmovups(c, sum);
        }

        Code.add(rbx, 64);
        Code.add(r14, r13);
        Code.add(r15, rbp);
        Code.dec(r10d);
        Code.jnz(row);
        Code.add(r12, sizeof(ActivationBlock));
        Code.add(rax, _format.BlockBytes - _format.CodeBytes);
    }

    private void LoadScale(AssemblerRegisterZMM destination, AssemblerMemoryOperand address)
    {
        if (_format.ScaleSize == 2) Code.vcvtph2ps(destination, __ymmword_ptr[address]);
        else Code.vmovups(destination, __zmmword_ptr[address]);
    }
}
