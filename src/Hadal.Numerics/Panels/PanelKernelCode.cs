using System.Numerics;
using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Iced.Intel;
using static Hadal.Numerics.Kernels.PanelRegisters;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Kernels;

/// <summary>The assembled micro-kernel on 512-bit registers: R rows of activations times P panels.</summary>
/// <remarks>
/// <para>
/// R·P accumulators stay in registers over a block of k. Without scales they stay over all k (a chain of dot products, see <see cref="PanelGemm"/>); with
/// scales each block's sums are scaled and added to C, which lies in the first-level cache.
/// </para>
/// <para>
/// Registers: zmm0 … zmm23 accumulators, zmm24 … zmm31 panels, the broadcast activation and constants. rax panel 0, rdx bytes between panels, rcx three
/// times that; r8 … r11 rows 0, 3, 6, 9 of the activations, rsi bytes between them; rdi C, rbp bytes between its rows; r12 block values, r13 bytes between
/// their rows; rbx counts groups, [rsp] blocks. In super-blocks rbx stands at the block's scales, [rsp] counts super-blocks, [rsp + 8] masks further bits of
/// nibbles if no register does, and factors of scales and minima stay in zmm16 … zmm23 or zmm26 … zmm29.
/// </para>
/// </remarks>
internal sealed unsafe partial class PanelKernelCode : KernelCode
{
    private readonly PanelFormat _format;
    private readonly int _rows;
    private readonly int _panels;
    private readonly bool _streaming;

    /// <param name="format">The panels' format.</param>
    /// <param name="rows">1 … 12.</param>
    /// <param name="panels">1, 2 or 4; rows times panels is at most 24, and 16 for E4M3.</param>
    /// <param name="streaming">Whether the weights come from memory and are worth fetching early.</param>
    public PanelKernelCode(PanelFormat format, int rows, int panels, bool streaming) =>
        (_format, _rows, _panels, _streaming) = (format, rows, panels, streaming);

    private bool IsScaled => _format.ScaleSize > 0;

    private bool IsSuper => _format.SuperBlock > 1;

    private int GroupsPerTurn => Math.Min(8, _format.Block / _format.GroupDepth);

    protected override void Write()
    {
        LoadArguments();
        if (IsScaled) ClearC();
        else LoadAccumulators();
        var block = Code.CreateLabel();
        var superBlock = Code.CreateLabel();
        if (IsSuper)
        {
            Code.Label(ref superBlock);
            StartSuperBlock();
        }

        Code.Label(ref block);
        if (IsScaled) StartBlock();
        WriteGroups();
        if (IsSuper)
        {
            FinishBlockOfSuper();

            // The codes have ended where the scales began.
            Code.add(rbx, 16);
            Code.lea(r14, __[rax + 16 * _format.SuperBlock]);
            Code.cmp(r14, rbx);
            Code.jne(block);
            Code.add(rax, _format.SuperBlockBytes - _format.SuperBlock * _format.CodeBytes);
        }
        else if (IsScaled)
        {
            FinishBlock();
            Code.add(rax, _format.BlockBytes - _format.CodeBytes);
        }

        Code.dec(__qword_ptr[rsp]);
        Code.jnz(IsSuper ? superBlock : block);
        if (!IsScaled) StoreAccumulators();
    }

    private static AssemblerRegisterZMM Vector(int index) => new(Register.ZMM0 + index);

    private AssemblerRegisterZMM Accumulator(int row, int panel) => Vector(row * _panels + panel);

    private void LoadArguments()
    {
        var argument = Argument;
        Code.mov(rax, Field(nameof(PanelCall.Blocks)));
        if (IsSuper) Code.shr(rax, (byte)BitOperations.Log2((uint)_format.SuperBlock));
        Code.mov(__qword_ptr[rsp], rax);
        Code.mov(rax, Field(nameof(PanelCall.Right)));
        Code.mov(rdx, Field(nameof(PanelCall.PanelStride)));
        Code.lea(rcx, __[rdx + rdx * 2]);
        Code.mov(rsi, Field(nameof(PanelCall.LeftStride)));
        Code.mov(r8, Field(nameof(PanelCall.Left)));
        Code.lea(rbx, __[rsi + rsi * 2]);
        Code.lea(r9, __[r8 + rbx]);
        Code.lea(r10, __[r9 + rbx]);
        Code.lea(r11, __[r10 + rbx]);
        Code.mov(r12, Field(nameof(PanelCall.Values)));
        Code.mov(r13, Field(nameof(PanelCall.ValueStride)));
        Code.mov(rbp, Field(nameof(PanelCall.CStride)));
        if (_format.Element == PanelElement.Nibble)
        {
            Code.mov(r14d, 0x0F0F0F0F);
            Code.vpbroadcastd(Vector(31), r14d);
        }
        else if (_format.Element == PanelElement.E4M3)
        {
            Code.mov(r14, Field(nameof(PanelCall.Constants)));
            for (int i = 0; i < 4; i++) Code.vmovdqu64(Vector(28 + i), __zmmword_ptr[r14 + i * 64]);
            Code.mov(r14d, unchecked((int)0x80808080));
            Code.vpbroadcastd(Vector(27), r14d);
        }

        if (_format.HighBits > 0) LoadHighBitMask();
        Code.mov(r14, Field(nameof(PanelCall.Accumulate)));
        Code.mov(rdi, __qword_ptr[argument + Offset(nameof(PanelCall.C))]);
        Code.test(r14, r14);

        AssemblerMemoryOperand Field(string name) => __qword_ptr[argument + Offset(name)];
        static int Offset(string name) => (int)Marshal.OffsetOf<PanelCall>(name);
    }

    // The flags still tell whether to accumulate.
    private void ClearC()
    {
        var kept = Code.CreateLabel();
        Code.jnz(kept);
        Code.vpxord(Vector(0), Vector(0), Vector(0));
        ForEachC((_, _, c) => Code.vmovups(c, Vector(0)));
        Code.Label(ref kept);
        Code.nop();
    }

    private void LoadAccumulators()
    {
        var add = Code.CreateLabel();
        var ready = Code.CreateLabel();
        Code.jnz(add);
        for (int i = 0; i < _rows * _panels; i++) Code.vpxord(Vector(i), Vector(i), Vector(i));
        Code.jmp(ready);
        Code.Label(ref add);
        ForEachC((row, panel, c) => Code.vmovups(Accumulator(row, panel), c));
        Code.Label(ref ready);
        Code.nop();
    }

    private void StoreAccumulators() => ForEachC((row, panel, c) => Code.vmovups(c, Accumulator(row, panel)));

    private void ForEachC(Action<int, int, AssemblerMemoryOperand> action)
    {
        Code.mov(r15, rdi);
        for (int row = 0; row < _rows; row++)
        {
            for (int panel = 0; panel < _panels; panel++) action(row, panel, __zmmword_ptr[r15 + panel * 64]);
            if (row + 1 < _rows) Code.add(r15, rbp);
        }
    }

    private void StartBlock()
    {
        if (!_format.HasByteActivations || _format.ZeroPoint == 0)
        {
            for (int i = 0; i < _rows * _panels; i++) Code.vpxord(Vector(i), Vector(i), Vector(i));
            return;
        }

        Code.mov(r14, r12);
        for (int row = 0; row < _rows; row++)
        {
            Code.vpbroadcastd(Accumulator(row, 0), __dword_ptr[r14 + (int)Marshal.OffsetOf<ActivationBlock>(nameof(ActivationBlock.Offset))]);
            for (int panel = 1; panel < _panels; panel++) Code.vmovdqa64(Accumulator(row, panel), Accumulator(row, 0));
            if (row + 1 < _rows) Code.add(r14, r13);
        }
    }

    private void WriteGroups()
    {
        int groups = _format.Block / _format.GroupDepth, turns = groups / GroupsPerTurn, leftBytes = _format.GroupDepth * _format.ActivationSize;
        var turn = Code.CreateLabel();
        if (turns > 1)
        {
            Code.mov(ebx, turns);
            Code.Label(ref turn);
        }

        for (int group = 0; group < GroupsPerTurn; group++) WriteGroup(group * 64, group * leftBytes);
        int panels = Math.Min(4, (_rows + 2) / 3);
        AssemblerRegister64[] bases = [r8, r9, r10, r11];
        for (int i = 0; i < panels; i++) Code.add(bases[i], GroupsPerTurn * leftBytes);
        Code.add(rax, GroupsPerTurn * 64 + _format.CodeBytes - _format.HighBitOffset);
        if (turns <= 1) return;
        Code.dec(ebx);
        Code.jnz(turn);
    }

    // 64 bytes of codes of each panel, times the same k of each row.
    private void WriteGroup(int rightOffset, int leftOffset)
    {
        if (_streaming)
        {
            for (int panel = 0; panel < _panels; panel++) Code.prefetcht0(__byte_ptr[Panel(panel) + (rightOffset + PrefetchDistance)]);
        }

        switch (_format.Element)
        {
            case PanelElement.E4M3:
                for (int panel = 0; panel < _panels; panel++)
                {
                    DecodeE4M3(panel, rightOffset);
                    MultiplyByHalves(panel, leftOffset);
                }

                break;
            case PanelElement.Float16:
                for (int half = 0; half < 2; half++)
                {
                    for (int panel = 0; panel < _panels; panel++) Code.vcvtph2ps(Vector(24 + panel), __ymmword_ptr[Panel(panel) + (rightOffset + half * 32)]);
                    MultiplyRows(leftOffset + half * 4);
                }

                break;
            case PanelElement.Nibble:
                for (int panel = 0; panel < _panels; panel++)
                {
                    DecodeNibbles(panel, rightOffset);
                    if (_format.HighBits > 0) AddHighBits(panel, rightOffset);
                    MultiplyByHalves(panel, leftOffset);
                }

                break;
            default:
                for (int panel = 0; panel < _panels; panel++) Code.vmovdqu64(Vector(24 + panel), __zmmword_ptr[Panel(panel) + rightOffset]);
                MultiplyRows(leftOffset);
                break;
        }
    }

    private void MultiplyRows(int leftOffset)
    {
        for (int row = 0; row < _rows; row++)
        {
            // Two registers in turn, so that a row's broadcast need not wait for the one before.
            var left = Vector(28 + row % 2);
            Code.vpbroadcastd(left, __dword_ptr[Left(row) + leftOffset]);
            for (int panel = 0; panel < _panels; panel++) Multiply(Accumulator(row, panel), Vector(24 + panel), left);
        }
    }

    // zmm24: k 0 and 1 of a group as bfloat16 pairs; zmm25: k 2 and 3. A magnitude of seven bits looks up its two bytes; the sign goes to the upper one.
    private void DecodeE4M3(int panel, int offset)
    {
        var codes = __zmmword_ptr[Panel(panel) + offset];
        Code.vmovdqu64(Vector(25), codes);
        Code.vmovdqa64(Vector(24), Vector(25));
        Code.vmovdqa64(Vector(26), Vector(25));
        Code.vpermi2b(Vector(24), Vector(28), Vector(29));
        Code.vpermi2b(Vector(26), Vector(30), Vector(31));
        Code.vpternlogd(Vector(26), Vector(27), Vector(25), 0xF8);
        Code.vpunpckhbw(Vector(25), Vector(24), Vector(26));
        Code.vpunpcklbw(Vector(24), Vector(24), Vector(26));
    }

    private void DecodeNibbles(int panel, int offset)
    {
        Code.vmovdqu64(Vector(25), __zmmword_ptr[Panel(panel) + offset]);
        Code.vpandd(Vector(24), Vector(25), Vector(31));
        Code.vpsrlw(Vector(25), Vector(25), 4);
        Code.vpandd(Vector(25), Vector(25), Vector(31));
    }

    private void MultiplyByHalves(int panel, int leftOffset)
    {
        for (int half = 0; half < 2; half++)
        {
            for (int row = 0; row < _rows; row++)
            {
                var left = __dword_bcst[Left(row) + (leftOffset + half * 4)];
                if (_format.HasByteActivations) Code.vpdpbusd(Accumulator(row, panel), Vector(24 + half), left);
                else Code.vdpbf16ps(Accumulator(row, panel), Vector(24 + half), left);
            }
        }
    }

    private void Multiply(AssemblerRegisterZMM accumulator, AssemblerRegisterZMM right, AssemblerRegisterZMM left)
    {
        if (_format.HasByteActivations) Code.vpdpbusd(accumulator, right, left);
        else if (_format.HasSingleActivations) Code.vfmadd231ps(accumulator, right, left);
        else Code.vdpbf16ps(accumulator, right, left);
    }

    // c += sum · (row's scale · column's scale), then - (row's sum) · column's minimum. rax stands at the block's scales.
    private void FinishBlock()
    {
        Code.mov(r14, r12);
        ForEachC((row, panel, c) =>
        {
            var sum = Accumulator(row, panel);
            if (_format.HasByteActivations) Code.vcvtdq2ps(sum, sum);
            LoadScale(Vector(24), Panel(panel));
            Code.vmulps(Vector(24), Vector(24), __dword_bcst[r14]);
            Code.vfmadd213ps(sum, Vector(24), c);
            if (_format.HasMinimum)
            {
                LoadScale(Vector(24), Panel(panel) + 16 * _format.ScaleSize);
                Code.vfnmadd231ps(sum, Vector(24), __dword_bcst[r14 + (int)Marshal.OffsetOf<ActivationBlock>(nameof(ActivationBlock.Sum))]);
            }

            Code.vmovups(c, sum);
            if (panel == _panels - 1 && row + 1 < _rows) Code.add(r14, r13);
        });
        Code.add(r12, sizeof(ActivationBlock));
    }

    private void LoadScale(AssemblerRegisterZMM destination, AssemblerMemoryOperand address)
    {
        if (_format.ScaleSize == 2) Code.vcvtph2ps(destination, __ymmword_ptr[address]);
        else Code.vmovups(destination, __zmmword_ptr[address]);
    }
}
