using Hadal.Numerics.Assembly;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Measurement;

/// <summary>Independent chains of dot product instructions on 512-bit registers that .NET has no intrinsics for.</summary>
internal sealed unsafe class DotPeakCode(bool integers) : KernelCode
{
    /// <summary>Chains: more than the units' latency can delay.</summary>
    public const int Chains = 16;

    /// <summary>Turns of the loop in a call.</summary>
    public const int Turns = 1000;

    /// <summary>Operations in a call, a multiply-add counting as two.</summary>
    public double Operations => (double)Turns * Chains * (integers ? 64 : 32) * 2;

    protected override void Write()
    {
        // bfloat16 zeros and byte zeros alike: what is multiplied does not change how long it takes.
        for (int i = 0; i < Chains + 2; i++) Code.vpxord(Vector(i), Vector(i), Vector(i));
        Code.mov(eax, Turns);
        var turn = Code.CreateLabel();
        Code.Label(ref turn);
        for (int i = 0; i < Chains; i++)
        {
            if (integers) Code.vpdpbusd(Vector(i), Vector(Chains), Vector(Chains + 1));
            else Code.vdpbf16ps(Vector(i), Vector(Chains), Vector(Chains + 1));
        }

        Code.dec(eax);
        Code.jnz(turn);
    }

    private static AssemblerRegisterZMM Vector(int index) => new(Register.ZMM0 + index);
}

/// <summary>Runs an assembled chain.</summary>
internal unsafe struct AssembledChainJob : IRacer
{
    public delegate* unmanaged[SuppressGCTransition]<void*, void> Kernel;

    public double OperationsPerCall;

    public readonly double Run(int thread, int iterations)
    {
        for (int i = 0; i < iterations; i++) Kernel(null);
        return iterations * OperationsPerCall;
    }
}
