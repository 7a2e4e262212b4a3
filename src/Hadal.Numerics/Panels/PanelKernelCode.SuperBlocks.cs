using System.Runtime.InteropServices;
using Iced.Intel;
using static Hadal.Numerics.Kernels.PanelRegisters;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Kernels;

/// <content>Super-blocks, and codes of five and six bits.</content>
internal sealed unsafe partial class PanelKernelCode
{
    // What is left for the mask of the further bits and for a panel's register of them; -1 if nothing is.
    private int HighMaskRegister => _panels == 4 ? 27 : _panels == 1 || !_format.HasMinimum ? 29 : _rows <= 10 ? 21 : -1;

    private int HighRegister => _panels == 4 ? 26 : _panels == 1 ? 27 : !_format.HasMinimum ? 28 : _rows <= 10 ? 20 : -1;

    private void LoadHighBitMask()
    {
        Code.mov(__dword_ptr[rsp + 8], ((1 << _format.HighBits) - 1) * 0x10101010);
        if (HighMaskRegister >= 0) Code.vpbroadcastd(Vector(HighMaskRegister), __dword_ptr[rsp + 8]);
    }

    // The further bits of registers 2i and 2i + 1 of a block, i counting groups, brought to places 4 and up.
    private void AddHighBits(int panel, int offset)
    {
        var bits = __zmmword_ptr[Panel(panel) + _format.HighBitOffset];
        if (_streaming && offset == 0) Code.prefetcht0(__byte_ptr[Panel(panel) + (_format.HighBitOffset + PrefetchDistance)]);
        if (HighRegister >= 0) Code.vmovdqu64(Vector(HighRegister), bits);
        for (int half = 0; half < 2; half++)
        {
            var source = Vector(30);
            int left = 4 - _format.HighBits * (offset / 64 * 2 + half);
            if (left == 0 && HighRegister >= 0) source = Vector(HighRegister);
            else if (left == 0) Code.vmovdqu64(source, bits);
            else Shift(source, left);
            if (HighMaskRegister >= 0) Code.vpternlogd(Vector(24 + half), source, Vector(HighMaskRegister), 0xF8);
            else Code.vpternlogd(Vector(24 + half), source, __dword_bcst[rsp + 8], 0xF8);
        }

        void Shift(AssemblerRegisterZMM destination, int left)
        {
            switch (HighRegister >= 0, left > 0)
            {
                case (true, true): Code.vpsllw(destination, Vector(HighRegister), (byte)left); break;
                case (true, false): Code.vpsrlw(destination, Vector(HighRegister), (byte)-left); break;
                case (false, true): Code.vpsllw(destination, bits, (byte)left); break;
                default: Code.vpsrlw(destination, bits, (byte)-left); break;
            }
        }
    }

    private AssemblerRegisterZMM Factor(int panel) => Vector((_panels == 4 ? 16 : 26) + panel);

    private AssemblerRegisterZMM MinimumFactor(int panel) => Vector((_panels == 4 ? 20 : 28) + panel);

    private void StartSuperBlock()
    {
        Code.lea(rbx, __[rax + _format.SuperBlock * _format.CodeBytes]);
        for (int panel = 0; panel < _panels; panel++)
        {
            Code.vcvtph2ps(Factor(panel), __ymmword_ptr[PanelScales(panel) + _format.FactorOffset]);
            if (_format.HasMinimum) Code.vcvtph2ps(MinimumFactor(panel), __ymmword_ptr[PanelScales(panel) + (_format.FactorOffset + 32)]);
        }
    }

    // As FinishBlock, with scales and minima that are multiplied out (exact) once for all rows.
    private void FinishBlockOfSuper()
    {
        for (int panel = 0; panel < _panels; panel++)
        {
            MultiplyOut(Vector(30), PanelScales(panel), Factor(panel));
            if (_format.HasMinimum) MultiplyOut(Vector(25), PanelScales(panel) + 16 * _format.SuperBlock, MinimumFactor(panel));
            Code.mov(r14, r12);
            Code.mov(r15, rdi);
            for (int row = 0; row < _rows; row++)
            {
                var sum = Accumulator(row, panel);
                var c = __zmmword_ptr[r15 + panel * 64];
                Code.vcvtdq2ps(sum, sum);
                Code.vmulps(Vector(24), Vector(30), __dword_bcst[r14]);
                Code.vfmadd213ps(sum, Vector(24), c);
                if (_format.HasMinimum) Code.vfnmadd231ps(sum, Vector(25), __dword_bcst[r14 + (int)Marshal.OffsetOf<ActivationBlock>(nameof(ActivationBlock.Sum))]);
                Code.vmovups(c, sum);
                if (row + 1 == _rows) break;
                Code.add(r14, r13);
                Code.add(r15, rbp);
            }
        }

        Code.add(r12, sizeof(ActivationBlock));
    }

    private void MultiplyOut(AssemblerRegisterZMM destination, AssemblerMemoryOperand bytes, AssemblerRegisterZMM factor)
    {
        Code.vpmovsxbd(destination, __xmmword_ptr[bytes]);
        Code.vcvtdq2ps(destination, destination);
        Code.vmulps(destination, destination, factor);
    }

    private static AssemblerMemoryOperand PanelScales(int panel) => panel switch
    {
        0 => __[rbx],
        1 => __[rbx + rdx],
        2 => __[rbx + rdx * 2],
        _ => __[rbx + rcx],
    };
}
