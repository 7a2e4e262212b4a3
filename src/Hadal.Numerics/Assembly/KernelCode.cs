using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hadal.Numerics.Assembly;

/// <summary>A kernel in the making: a function of one pointer, with the registers that it may use saved and restored.</summary>
/// <remarks>
/// On entry <see cref="Argument"/> holds the pointer under every calling convention. All other general registers but rsp are free between
/// <see cref="Begin"/> and <see cref="End"/>, as are all vector registers.
/// </remarks>
internal abstract unsafe class KernelCode
{
    private static readonly AssemblerRegister64[] _saved = OperatingSystem.IsWindows() ? [rbx, rbp, rsi, rdi, r12, r13, r14, r15] : [rbx, rbp, r12, r13, r14, r15];

    // Windows: xmm6 to xmm15 belong to the caller.
    private const int FirstSavedVector = 6, SavedVectors = 10;

    /// <summary>Local memory of the kernel at [rsp], in bytes.</summary>
    protected const int Locals = 64;

    /// <summary>Where instructions go.</summary>
    protected Assembler Code { get; } = new(64);

    /// <summary>The register that holds the kernel's argument until the kernel overwrites it.</summary>
    protected static AssemblerRegister64 Argument => rdi;

    /// <summary>Writes the kernel and places it.</summary>
    /// <returns>Where it starts.</returns>
    /// <exception cref="PlatformNotSupportedException">The system refuses.</exception>
    public void* Place()
    {
        string? refusal = ExecutableMemory.TryPlace(ToBytes(), out void* address);
        return refusal is null ? address : throw new PlatformNotSupportedException($"A kernel cannot be placed: {refusal}.");
    }

    /// <summary>Writes the kernel, which can be done once.</summary>
    /// <returns>Its position-independent machine code.</returns>
    public byte[] ToBytes()
    {
        Begin();
        Write();
        End();
        using var stream = new MemoryStream();
        Code.Assemble(new StreamCodeWriter(stream), 0);
        return stream.ToArray();
    }

    /// <summary>The kernel's own instructions.</summary>
    protected abstract void Write();

    private void Begin()
    {
        foreach (var register in _saved) Code.push(register);
        if (OperatingSystem.IsWindows())
        {
            Code.sub(rsp, SavedVectors * 16);
            for (int i = 0; i < SavedVectors; i++) Code.vmovups(__xmmword_ptr[rsp + i * 16], new AssemblerRegisterXMM(Register.XMM0 + FirstSavedVector + i));
            Code.mov(rdi, rcx);
        }

        Code.sub(rsp, Locals);
    }

    private void End()
    {
        Code.add(rsp, Locals);
        if (OperatingSystem.IsWindows())
        {
            for (int i = 0; i < SavedVectors; i++) Code.vmovups(new AssemblerRegisterXMM(Register.XMM0 + FirstSavedVector + i), __xmmword_ptr[rsp + i * 16]);
            Code.add(rsp, SavedVectors * 16);
        }

        for (int i = _saved.Length - 1; i >= 0; i--) Code.pop(_saved[i]);
        Code.vzeroupper();
        Code.ret();
    }
}
