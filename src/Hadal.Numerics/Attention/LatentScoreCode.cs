using System.Runtime.InteropServices;
using Hadal.Numerics.Assembly;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Kernels;

/// <summary>Scores of sixteen keys for the heads of a group: heads in lanes, pairs of columns broadcast from the cached rows.</summary>
/// <remarks>
/// <para>
/// With one chain a register of queries has a pair of columns for each of sixteen heads, and the score is one chain of dot products. With two it has two pairs for
/// each of eight heads, lanes 2h and 2h + 1, which a broadcast of 64 bits meets; the two sums are added, and the even lane keeps the first key of a pair of keys,
/// the odd lane the second.
/// </para>
/// <para>
/// Of 8-bit rows each section of columns has a chain of its own, which is multiplied by the row's scale and added to what the sections before gave; the rope key comes last,
/// without a scale.
/// </para>
/// <para>Registers: zmm0 … zmm15 sums, zmm16 queries. rax, rcx, r8 … r11 rows 0, 3, 6, 9, 12, 15; rsi bytes between rows; rbx queries; r12 … r14 what is fetched; r15 sections to go, [rsp] their
/// scales.</para>
/// </remarks>
internal sealed unsafe class LatentScoreCode(int chains, bool isScaled) : KernelCode
{
    public const int Keys = 16;
    private readonly AssemblerRegister64[] _bases = [rax, rcx, r8, r9, r10, r11];

    private int StepBytes => 4 * chains;

    protected override void Write()
    {
        Code.mov(rbx, Field(nameof(LatentScoreCall.Queries)));
        Code.mov(rax, Field(nameof(LatentScoreCall.Rows)));
        Code.mov(rsi, Field(nameof(LatentScoreCall.RowStride)));
        Code.mov(r12, Field(nameof(LatentScoreCall.Ahead)));
        Code.lea(r13, __[r12 + rsi]);
        Code.lea(r14, __[r13 + rsi]);
        Code.lea(r15, __[rsi + rsi * 2]);
        for (int i = 1; i < _bases.Length; i++) Code.lea(_bases[i], __[_bases[i - 1] + r15]);
        if (isScaled) WriteSections();
        else
        {
            Clear();
            Code.mov(rdx, Field(nameof(LatentScoreCall.Steps)));
            WriteSteps();
        }

        Code.mov(rbp, Field(nameof(LatentScoreCall.Scores)));
        Store();
    }

    private void WriteSections()
    {
        var section = Code.CreateLabel();
        var end = Code.CreateLabel();
        Clear();
        Code.mov(rbp, Field(nameof(LatentScoreCall.Totals)));
        for (int key = 0; key < Keys; key++) Code.vmovups(__zmmword_ptr[rbp + key * 64], Vector(key));
        Code.mov(r15, Field(nameof(LatentScoreCall.Sections)));
        Code.mov(rdx, Field(nameof(LatentScoreCall.Scales)));
        Code.mov(__qword_ptr[rsp], rdx);
        Code.Label(ref section);
        Clear();
        Code.mov(rdx, Field(nameof(LatentScoreCall.Steps)));
        Code.cmp(r15, 1);
        Code.cmove(rdx, Field(nameof(LatentScoreCall.LastSteps)));
        WriteSteps();
        Code.mov(rdx, __qword_ptr[rsp]);
        for (int key = 0; key < Keys; key++)
        {
            var total = Vector(17 + key % 8);
            Code.vmovups(total, __zmmword_ptr[rbp + key * 64]);
            Code.vfmadd231ps(total, Vector(key), __dword_bcst[rdx + key * sizeof(float)]);
            Code.vmovups(__zmmword_ptr[rbp + key * 64], total);
        }

        Code.add(rdx, LatentShape.BlockKeys * sizeof(float));
        Code.mov(__qword_ptr[rsp], rdx);
        Code.dec(r15);
        Code.jnz(section);
        Clear();
        Code.mov(rdx, Field(nameof(LatentScoreCall.RopeSteps)));
        Code.test(rdx, rdx);
        Code.jz(end);
        WriteSteps();
        Code.Label(ref end);
        for (int key = 0; key < Keys; key++) Code.vaddps(Vector(key), Vector(key), __zmmword_ptr[rbp + key * 64]);
    }

    private void Clear()
    {
        for (int key = 0; key < Keys; key++) Code.vpxord(Vector(key), Vector(key), Vector(key));
    }

    // rdx steps, at least one.
    private void WriteSteps()
    {
        // A cache line of each row at a time, then single steps.
        int unroll = 64 / StepBytes;
        var lines = Code.CreateLabel();
        var rest = Code.CreateLabel();
        var single = Code.CreateLabel();
        var done = Code.CreateLabel();
        Code.sub(rdx, unroll);
        Code.jl(rest);
        Code.Label(ref lines);
        for (int step = 0; step < unroll; step++)
        {
            for (int i = 0; i < Keys / unroll; i++) Fetch(step * (Keys / unroll) + i);
            Step(step);
        }

        Advance(unroll);
        Code.sub(rdx, unroll);
        Code.jge(lines);
        Code.Label(ref rest);
        Code.add(rdx, unroll);
        Code.jz(done);
        Code.Label(ref single);
        Step(0);
        Advance(1);
        Code.dec(rdx);
        Code.jnz(single);
        Code.Label(ref done);
        Code.nop();
    }

    private void Step(int step)
    {
        var queries = __zmmword_ptr[rbx + step * 64];
        if (chains == 1)
        {
            Code.vmovdqu64(Vector(16), queries);
            for (int key = 0; key < Keys; key++) Code.vdpbf16ps(Vector(key), Vector(16), __dword_bcst[Row(key) + step * StepBytes]);
            return;
        }

        Code.vmovdqu64(Vector(16), queries);
        for (int key = 0; key < Keys; key++)
        {
            var pairs = Vector(17 + key % 8);
            Code.vpbroadcastq(pairs, __qword_ptr[Row(key) + step * StepBytes]);
            Code.vdpbf16ps(Vector(key), Vector(16), pairs);
        }
    }

    private void Fetch(int key)
    {
        var distance = (key % 3) switch { 0 => r12, 1 => r13, _ => r14 };
        Code.prefetcht0(__byte_ptr[_bases[key / 3] + distance]);
    }

    private void Advance(int steps)
    {
        foreach (var start in _bases) Code.add(start, steps * StepBytes);
        Code.add(rbx, steps * 64);
    }

    private void Store()
    {
        if (chains == 1)
        {
            for (int key = 0; key < Keys; key++) Code.vmovups(__zmmword_ptr[rbp + key * 64], Vector(key));
            return;
        }

        // Neighbouring lanes change places and are added; the odd lanes of the second key go over the first.
        Code.mov(eax, 0xAAAA);
        Code.kmovw(k1, eax);
        for (int key = 0; key < Keys; key += 2)
        {
            for (int i = 0; i < 2; i++)
            {
                Code.vpermilps(Vector(16 + i), Vector(key + i), 0xB1);
                Code.vaddps(Vector(key + i), Vector(key + i), Vector(16 + i));
            }

            Code.vmovaps(Vector(key).k1, Vector(key + 1));
            Code.vmovups(__zmmword_ptr[rbp + key * 32], Vector(key));
        }
    }

    private AssemblerMemoryOperand Row(int key) => (key % 3) switch
    {
        0 => __[_bases[key / 3]],
        1 => __[_bases[key / 3] + rsi],
        _ => __[_bases[key / 3] + rsi * 2],
    };

    private static AssemblerRegisterZMM Vector(int index) => new(Register.ZMM0 + index);

    private static AssemblerMemoryOperand Field(string name) => __qword_ptr[Argument + (int)Marshal.OffsetOf<LatentScoreCall>(name)];
}
