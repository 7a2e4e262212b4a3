using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Iced.Intel;
using static Hadal.Numerics.Kernels.PanelRegisters;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Kernels;

/// <summary>The assembled micro-kernel on 256-bit registers, for processors without AVX-512: R rows of activations times P panels, each two registers wide.</summary>
/// <remarks>
/// <para>
/// The same sums as <see cref="PanelKernelCode"/>. bfloat16 and E4M3 have no dot product instruction here: weights are widened in registers and meet activations that are
/// FP32 already (<see cref="WidenedRows"/>) in two fused multiply-adds, the odd k of a pair first. Bytes and nibbles are multiplied by VPDPBUSD, or without AVX-VNNI by
/// VPMADDWD: codes and activations as 16-bit integers, so that nothing can saturate, whatever the codes.
/// </para>
/// <para>
/// Registers: ymm0 … ymm11 accumulators, ymm12 and ymm13 weights, ymm14 the broadcast activation, ymm15 a mask or a product. rax panel 0, rdx bytes between panels, rcx
/// three times that; r8 and r9 rows 0 and 3 of the activations, rsi bytes between them; r10 constants; rdi C, rbp bytes between its rows; r12 block values, r13 bytes
/// between their rows; rbx counts turns, [rsp] blocks.
/// </para>
/// </remarks>
internal sealed unsafe class PanelKernelCode256 : KernelCode
{
    /// <summary>Rows of the largest kernel: with a panel of two registers twelve accumulators.</summary>
    public const int MaxRows = 6;

    private const int EvenWordsMask = 0, NibbleWordsMask = 32, HalfMask = 64, Two8 = 96, OddWordsMask = 128, NibbleMask = 160, ConstantBytes = 192;

    private static readonly byte* _constants = MakeConstants();

    private readonly PanelFormat _format;
    private readonly int _rows;
    private readonly int _panels;
    private readonly bool _streaming;
    private readonly bool _hasByteDot;

    /// <param name="format">The panels' format.</param>
    /// <param name="rows">1 … 6.</param>
    /// <param name="panels">1, 2 or 4; rows times panels is at most 6.</param>
    /// <param name="streaming">Whether the weights come from memory and are worth fetching early.</param>
    /// <param name="hasByteDot">Whether to use VPDPBUSD.</param>
    public PanelKernelCode256(PanelFormat format, int rows, int panels, bool streaming, bool hasByteDot) =>
        (_format, _rows, _panels, _streaming, _hasByteDot) = (format, rows, panels, streaming, hasByteDot);

    /// <summary>Masks and factors that the code reads.</summary>
    public static ReadOnlySpan<byte> Constants => new(_constants, ConstantBytes);

    private bool IsScaled => _format.ScaleSize > 0;

    private int GroupsPerTurn => Math.Min(4, _format.Block / _format.GroupDepth);

    private int LeftBytesPerGroup => _format.GroupDepth * WidenedRows.Size(_format, _hasByteDot);

    /// <summary>Whether there are kernels for a format: one that these five properties describe.</summary>
    public static bool Supports(in PanelFormat format) =>
        format.Element is PanelElement.BFloat16 or PanelElement.E4M3 or PanelElement.Byte or PanelElement.Nibble
        && format == new PanelFormat(format.Element, format.Block, format.ScaleSize, format.ZeroPoint, format.HasMinimum);

    protected override void Write()
    {
        LoadArguments();
        if (IsScaled) ClearC();
        else LoadAccumulators();
        var block = Code.CreateLabel();
        Code.Label(ref block);
        if (IsScaled) StartBlock();
        WriteGroups();
        if (IsScaled)
        {
            FinishBlock();
            Code.add(rax, _format.BlockBytes - _format.CodeBytes);
        }

        Code.dec(__qword_ptr[rsp]);
        Code.jnz(block);
        if (!IsScaled) StoreAccumulators();
    }

    private static byte* MakeConstants()
    {
        byte* constants = (byte*)NativeMemory.AlignedAlloc(ConstantBytes, 64);
        Fill(EvenWordsMask, 0x00FF00FF);
        Fill(NibbleWordsMask, 0x000F000F);
        Fill(HalfMask, 0xBF80BF80);
        Fill(Two8, BitConverter.SingleToUInt32Bits(256));
        Fill(OddWordsMask, 0xFFFF0000);
        Fill(NibbleMask, 0x0F0F0F0F);
        return constants;

        void Fill(int offset, uint value) => new Span<uint>(constants + offset, 8).Fill(value);
    }

    private static AssemblerRegisterYMM Vector(int index) => new(Register.YMM0 + index);

    private AssemblerRegisterYMM Accumulator(int row, int panel, int half) => Vector((row * _panels + panel) * 2 + half);

    private void LoadArguments()
    {
        var argument = Argument;
        Code.mov(rax, Field(nameof(PanelCall.Blocks)));
        Code.mov(__qword_ptr[rsp], rax);
        Code.mov(rax, Field(nameof(PanelCall.Right)));
        Code.mov(rdx, Field(nameof(PanelCall.PanelStride)));
        Code.lea(rcx, __[rdx + rdx * 2]);
        Code.mov(rsi, Field(nameof(PanelCall.LeftStride)));
        Code.mov(r8, Field(nameof(PanelCall.Left)));
        Code.lea(rbx, __[rsi + rsi * 2]);
        Code.lea(r9, __[r8 + rbx]);
        Code.mov(r10, (long)_constants);
        Code.mov(r12, Field(nameof(PanelCall.Values)));
        Code.mov(r13, Field(nameof(PanelCall.ValueStride)));
        Code.mov(rbp, Field(nameof(PanelCall.CStride)));
        if (_format.Element == PanelElement.BFloat16) Code.vmovdqu(Vector(15), Constant(OddWordsMask));
        else if (_format.Element == PanelElement.Nibble && _hasByteDot) Code.vmovdqu(Vector(15), Constant(NibbleMask));
        Code.mov(r14, Field(nameof(PanelCall.Accumulate)));
        Code.mov(rdi, Field(nameof(PanelCall.C)));
        Code.test(r14, r14);

        AssemblerMemoryOperand Field(string name) => __qword_ptr[argument + (int)Marshal.OffsetOf<PanelCall>(name)];
    }

    private static AssemblerMemoryOperand Constant(int offset) => __ymmword_ptr[r10 + offset];

    // The flags still tell whether to accumulate.
    private void ClearC()
    {
        var kept = Code.CreateLabel();
        Code.jnz(kept);
        Code.vxorps(Vector(0), Vector(0), Vector(0));
        ForEachC((_, _, _, c) => Code.vmovups(c, Vector(0)));
        Code.Label(ref kept);
        Code.nop();
    }

    private void LoadAccumulators()
    {
        var add = Code.CreateLabel();
        var ready = Code.CreateLabel();
        Code.jnz(add);
        ClearAccumulators();
        Code.jmp(ready);
        Code.Label(ref add);
        ForEachC((row, panel, half, c) => Code.vmovups(Accumulator(row, panel, half), c));
        Code.Label(ref ready);
        Code.nop();
    }

    private void StoreAccumulators() => ForEachC((row, panel, half, c) => Code.vmovups(c, Accumulator(row, panel, half)));

    private void ClearAccumulators()
    {
        for (int i = 0; i < _rows * _panels * 2; i++) Code.vxorps(Vector(i), Vector(i), Vector(i));
    }

    private void ForEachC(Action<int, int, int, AssemblerMemoryOperand> action)
    {
        Code.mov(r15, rdi);
        for (int row = 0; row < _rows; row++)
        {
            for (int i = 0; i < 2 * _panels; i++) action(row, i / 2, i % 2, __ymmword_ptr[r15 + i * 32]);
            if (row + 1 < _rows) Code.add(r15, rbp);
        }
    }

    private void StartBlock()
    {
        if (!_format.HasByteActivations || _format.ZeroPoint == 0)
        {
            ClearAccumulators();
            return;
        }

        Code.mov(r14, r12);
        for (int row = 0; row < _rows; row++)
        {
            var first = Accumulator(row, 0, 0);
            Code.vpbroadcastd(first, __dword_ptr[r14 + (int)Marshal.OffsetOf<ActivationBlock>(nameof(ActivationBlock.Offset))]);
            for (int i = 1; i < 2 * _panels; i++) Code.vmovdqa(Accumulator(row, i / 2, i % 2), first);
            if (row + 1 < _rows) Code.add(r14, r13);
        }
    }

    private void WriteGroups()
    {
        int turns = _format.Block / _format.GroupDepth / GroupsPerTurn;
        var turn = Code.CreateLabel();
        if (turns > 1)
        {
            Code.mov(ebx, turns);
            Code.Label(ref turn);
        }

        for (int group = 0; group < GroupsPerTurn; group++)
        {
            for (int panel = 0; panel < _panels; panel++)
            {
                if (_streaming) Code.prefetcht0(__byte_ptr[Panel(panel) + (group * 64 + PrefetchDistance)]);
                WriteGroup(panel, group * 64, group * LeftBytesPerGroup);
            }
        }

        Code.add(r8, GroupsPerTurn * LeftBytesPerGroup);
        if (_rows > 3) Code.add(r9, GroupsPerTurn * LeftBytesPerGroup);
        Code.add(rax, GroupsPerTurn * 64);
        if (turns <= 1) return;
        Code.dec(ebx);
        Code.jnz(turn);
    }

    // 64 bytes of codes of a panel, times the same k of each row.
    private void WriteGroup(int panel, int rightOffset, int left)
    {
        var codes = new[] { __ymmword_ptr[Panel(panel) + rightOffset], __ymmword_ptr[Panel(panel) + (rightOffset + 32)] };
        var (first, second) = (Vector(12), Vector(13));
        switch (_format.Element)
        {
            case PanelElement.BFloat16:
                Code.vpand(first, Vector(15), codes[0]);
                Code.vpand(second, Vector(15), codes[1]);
                MultiplyBoth(panel, left + 4);
                Code.vmovdqu(first, codes[0]);
                Code.vmovdqu(second, codes[1]);
                Code.vpslld(first, first, 16);
                Code.vpslld(second, second, 16);
                MultiplyBoth(panel, left);
                break;
            case PanelElement.E4M3:
                for (int half = 0; half < 2; half++) WriteE4M3(panel, half, codes[half], left);
                break;
            case PanelElement.Nibble when _hasByteDot:
                for (int half = 0; half < 2; half++)
                {
                    Code.vmovdqu(second, codes[half]);
                    Code.vpand(first, second, Vector(15));
                    Code.vpsrlw(second, second, 4);
                    Code.vpand(second, second, Vector(15));
                    Multiply(first, panel, half, left);
                    Multiply(second, panel, half, left + 4);
                }

                break;
            case PanelElement.Byte when _hasByteDot:
                Code.vmovdqu(first, codes[0]);
                Code.vmovdqu(second, codes[1]);
                MultiplyBoth(panel, left);
                break;
            default:
                WriteWords(panel, codes, left);
                break;
        }
    }

    // The k of 16-bit words in the order of WidenedRows: of four bytes the even two, then the odd two; nibbles the low halves' first.
    private void WriteWords(int panel, AssemblerMemoryOperand[] codes, int left)
    {
        bool nibbles = _format.Element == PanelElement.Nibble;
        int[] shifts = nibbles ? [0, 8, 4, 12] : [0, 8];
        for (int i = 0; i < shifts.Length; i++)
        {
            for (int half = 0; half < 2; half++)
            {
                var words = Vector(12 + half);
                Code.vmovdqu(words, codes[half]);
                if (shifts[i] > 0) Code.vpsrlw(words, words, (byte)shifts[i]);
                if (shifts[i] + (nibbles ? 4 : 8) < 16) Code.vpand(words, words, Constant(nibbles ? NibbleWordsMask : EvenWordsMask));
            }

            MultiplyBoth(panel, left + i * 4);
        }
    }

    // A register holds of eight columns (k 0, k 1) of four, (k 2, k 3) of the same, then of the other four. Seven bits of magnitude are an FP16 value of 2^-8 times that of
    // E4M3, subnormals included; multiplying by 2^8 is exact. NaN has no code here: a block that has one has a scale of NaN.
    private void WriteE4M3(int panel, int half, AssemblerMemoryOperand codes, int left)
    {
        var (odd, even, value) = (Vector(12), Vector(13), Vector(14));
        Code.vpermq(odd, codes, 0xD8);
        Code.vpsllw(even, odd, 8);
        foreach (var words in new[] { odd, even })
        {
            // The sign fills the two upper bits; the mask leaves one of them and drops the other code.
            Code.vpsraw(words, words, 1);
            Code.vpand(words, words, Constant(HalfMask));
        }

        for (int k = 0; k < 4; k += 2)
        {
            foreach (var (words, place) in new[] { (odd, k + 1), (even, k) })
            {
                var low = new AssemblerRegisterXMM(Register.XMM0 + ((Register)words - Register.YMM0));
                if (k > 0) Code.vextracti128(low, words, 1);
                Code.vcvtph2ps(value, low);
                Code.vmulps(value, value, Constant(Two8));
                Multiply(value, panel, half, left + 4 * place, Vector(15));
            }
        }
    }

    private void MultiplyBoth(int panel, int left)
    {
        for (int row = 0; row < _rows; row++)
        {
            Code.vpbroadcastd(Vector(14), __dword_ptr[Left(row) + left]);
            for (int half = 0; half < 2; half++) Multiply(Accumulator(row, panel, half), Vector(12 + half), Vector(14));
        }
    }

    private void Multiply(AssemblerRegisterYMM right, int panel, int half, int left) => Multiply(right, panel, half, left, Vector(14));

    private void Multiply(AssemblerRegisterYMM right, int panel, int half, int left, AssemblerRegisterYMM broadcast)
    {
        for (int row = 0; row < _rows; row++)
        {
            Code.vpbroadcastd(broadcast, __dword_ptr[Left(row) + left]);
            Multiply(Accumulator(row, panel, half), right, broadcast);
        }
    }

    private void Multiply(AssemblerRegisterYMM accumulator, AssemblerRegisterYMM right, AssemblerRegisterYMM left)
    {
        if (!_format.HasByteActivations)
        {
            Code.vfmadd231ps(accumulator, right, left);
        }
        else if (_hasByteDot)
        {
            Code.vex.vpdpbusd(accumulator, right, left);
        }
        else
        {
            Code.vpmaddwd(Vector(15), right, left);
            Code.vpaddd(accumulator, accumulator, Vector(15));
        }
    }

    // c += sum · (row's scale · column's scale), then - (row's sum) · column's minimum. rax stands at the block's scales.
    private void FinishBlock()
    {
        var (scale, factor) = (Vector(12), Vector(13));
        Code.mov(r14, r12);
        ForEachC((row, panel, half, c) =>
        {
            var sum = Accumulator(row, panel, half);
            if (_format.HasByteActivations) Code.vcvtdq2ps(sum, sum);
            LoadScale(scale, Panel(panel) + half * 8 * _format.ScaleSize);
            Code.vbroadcastss(factor, __dword_ptr[r14]);
            Code.vmulps(scale, scale, factor);
            Code.vfmadd213ps(sum, scale, c);
            if (_format.HasMinimum)
            {
                LoadScale(scale, Panel(panel) + (16 + half * 8) * _format.ScaleSize);
                Code.vbroadcastss(factor, __dword_ptr[r14 + (int)Marshal.OffsetOf<ActivationBlock>(nameof(ActivationBlock.Sum))]);
                Code.vfnmadd231ps(sum, scale, factor);
            }

            Code.vmovups(c, sum);
            if (panel == _panels - 1 && half == 1 && row + 1 < _rows) Code.add(r14, r13);
        });
        Code.add(r12, sizeof(ActivationBlock));
    }

    private void LoadScale(AssemblerRegisterYMM destination, AssemblerMemoryOperand address)
    {
        if (_format.ScaleSize == 2) Code.vcvtph2ps(destination, __xmmword_ptr[address]);
        else Code.vmovups(destination, __ymmword_ptr[address]);
    }
}
