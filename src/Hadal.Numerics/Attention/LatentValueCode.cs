using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Kernels;

/// <summary>Weighted sums of cached rows for eight heads: columns in lanes, the weights of two neighbouring keys broadcast, rows interleaved in registers.</summary>
/// <remarks>
/// Registers: zmm(2h) and zmm(2h + 1) sums of head h, with quarters of the strip's columns in the order 0 2 4 6 and 1 3 5 7; zmm16 … zmm19 rows, zmm20 … zmm27
/// weights, zmm28 and zmm29 the quarters' order. rax row, rcx pairs to go, rdx weights, rsi bytes between rows, r8 segment, r9 segments to go, r10 column,
/// r11 output, r12 bytes between heads, r13 strips to go, r14 what is fetched, r15 bytes between its rows.
/// </remarks>
internal sealed unsafe class LatentValueCode(int chains) : KernelCode
{
    public const int Heads = 8;
    private static readonly int* _constants = MakeConstants();

    /// <summary>What <see cref="LatentValueCall.Constants"/> has to be.</summary>
    public static int* Constants => _constants;

    // Weights of a pair of keys, one dword a head of the group.
    private int WeightBytes => 64 / chains;

    protected override void Write()
    {
        var strip = Code.CreateLabel();
        var segment = Code.CreateLabel();
        var pair = Code.CreateLabel();
        Code.mov(rax, Field(nameof(LatentValueCall.Constants)));
        Code.vmovdqu64(Vector(28), __zmmword_ptr[rax]);
        Code.vmovdqu64(Vector(29), __zmmword_ptr[rax + 64]);
        Code.mov(rsi, Field(nameof(LatentValueCall.RowStride)));
        Code.mov(r15, Field(nameof(LatentValueCall.FetchedStride)));
        Code.mov(r10, Field(nameof(LatentValueCall.Column)));
        Code.mov(r11, Field(nameof(LatentValueCall.Output)));
        Code.mov(r12, Field(nameof(LatentValueCall.OutputStride)));
        Code.mov(r13, Field(nameof(LatentValueCall.Strips)));
        Code.Label(ref strip);
        Code.mov(r8, Field(nameof(LatentValueCall.Segments)));
        Code.mov(r9, Field(nameof(LatentValueCall.SegmentCount)));
        Code.mov(rdx, Field(nameof(LatentValueCall.Weights)));
        for (int i = 0; i < 2 * Heads; i++) Code.vpxord(Vector(i), Vector(i), Vector(i));

        Code.Label(ref segment);
        Code.mov(rax, __qword_ptr[r8 + Offset<LatentSegment>(nameof(LatentSegment.Rows))]);
        Code.add(rax, r10);
        Code.mov(rcx, __qword_ptr[r8 + Offset<LatentSegment>(nameof(LatentSegment.Pairs))]);
        Code.mov(r14, __qword_ptr[r8 + Offset<LatentSegment>(nameof(LatentSegment.Fetched))]);
        Code.add(r14, r10);
        Code.Label(ref pair);
        Code.prefetcht1(__byte_ptr[r14]);
        Code.prefetcht1(__byte_ptr[r14 + r15]);
        Code.lea(r14, __[r14 + r15 * 2]);
        WritePair();
        Code.add(rdx, WeightBytes);
        Code.lea(rax, __[rax + rsi * 2]);
        Code.dec(rcx);
        Code.jnz(pair);
        Code.add(r8, sizeof(LatentSegment));
        Code.dec(r9);
        Code.jnz(segment);

        Store();
        Code.add(r10, LatentShape.StripColumns * sizeof(ushort));
        Code.add(r11, LatentShape.StripColumns * sizeof(float));
        Code.dec(r13);
        Code.jnz(strip);
    }

    private void WritePair()
    {
        Code.vmovdqu64(Vector(16), __zmmword_ptr[rax]);
        Code.vmovdqu64(Vector(17), __zmmword_ptr[rax + rsi]);
        Code.vpunpcklwd(Vector(18), Vector(16), Vector(17));
        Code.vpunpckhwd(Vector(19), Vector(16), Vector(17));
        for (int head = 0; head < Heads; head++)
        {
            var weight = Vector(20 + head);
            Code.vpbroadcastd(weight, __dword_ptr[rdx + head * 4]);
            Code.vdpbf16ps(Vector(2 * head), Vector(18), weight);
            Code.vdpbf16ps(Vector(2 * head + 1), Vector(19), weight);
        }
    }

    private void Store()
    {
        Code.mov(rax, r11);
        for (int head = 0; head < Heads; head++)
        {
            Code.vmovaps(Vector(16), Vector(2 * head));
            Code.vpermt2ps(Vector(16), Vector(28), Vector(2 * head + 1));
            Code.vpermt2ps(Vector(2 * head), Vector(29), Vector(2 * head + 1));
            Code.vmovups(__zmmword_ptr[rax], Vector(16));
            Code.vmovups(__zmmword_ptr[rax + 64], Vector(2 * head));
            if (head + 1 < Heads) Code.add(rax, r12);
        }
    }

    private static AssemblerRegisterZMM Vector(int index) => new(Register.ZMM0 + index);

    private static AssemblerMemoryOperand Field(string name) => __qword_ptr[Argument + Offset<LatentValueCall>(name)];

    private static int Offset<T>(string name) => (int)Marshal.OffsetOf<T>(name);

    // Unpacking works within quarters of a register: columns 0-3, 8-11, … come out low, 4-7, 12-15, … high.
    private static int* MakeConstants()
    {
        int* constants = (int*)NativeMemory.AlignedAlloc(128, 64);
        for (int i = 0; i < 32; i++) constants[i] = i / 4 % 2 * 16 + i / 8 * 4 + i % 4;
        return constants;
    }
}
