using Hadal.Numerics.Assembly;
using Hadal.Numerics.Kernels;

namespace Hadal.Numerics.Tests.Gemm;

public class KernelFormsTests
{
    [Fact]
    public void Every_available_form_can_be_chosen_by_its_name()
    {
        foreach (var form in KernelForms.Available)
        {
            Assert.Equal(form, KernelForms.Choose(KernelForms.Name(form)));
            Assert.Equal(form, KernelForms.Choose(KernelForms.Name(form).ToUpperInvariant()));
        }
    }

    [Fact]
    public void The_reference_is_always_there_and_comes_last()
    {
        Assert.Equal(KernelForm.Reference, KernelForms.Available[^1]);
        Assert.Equal(KernelForms.Available.OrderDescending(), KernelForms.Available);
    }

    [Fact]
    public void No_name_means_the_fastest()
    {
        Assert.Equal(KernelForms.Available[0], KernelForms.Choose(null));
        Assert.Equal(KernelForms.Available[0], KernelForms.Choose(""));
    }

    [Fact]
    public void A_name_that_is_none_is_refused_with_the_names_there_are()
    {
        var error = Assert.Throws<PlatformNotSupportedException>(() => KernelForms.Choose("avx1024"));
        Assert.Contains("HADAL_KERNELS", error.Message, StringComparison.Ordinal);
        Assert.Contains("avx1024", error.Message, StringComparison.Ordinal);
        Assert.Contains("reference", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_machine_code_is_refused_the_vector_forms_run()
    {
        var forms = KernelForms.Find("the system does not allow memory to be made executable (error 13)");
        Assert.DoesNotContain(forms, f => f.ToString().StartsWith("Assembled", StringComparison.Ordinal));
        Assert.Equal(KernelForms.Find(null).Where(f => !f.ToString().StartsWith("Assembled", StringComparison.Ordinal)), forms);
        Assert.Equal(KernelForms.Available, KernelForms.Find(ExecutableMemory.Refusal));
    }

    [Fact]
    public void A_refusal_and_a_missing_instruction_are_told_apart()
    {
        const string refusal = "the system says no (error 13)";
        var refused = KernelChoice.Of(KernelForm.Vector512, refusal, hasInstructions: true);
        Assert.Equal(("vector512", refusal), (refused.Form, refused.Refusal));
        Assert.Empty(refused.Assembled);
        Assert.Contains(refusal, refused.Reason, StringComparison.Ordinal);
        Assert.Contains("AVX512_VNNI", KernelChoice.Of(KernelForm.Vector256, refusal, hasInstructions: false).Reason, StringComparison.Ordinal);
        Assert.Contains(KernelForms.Variable, KernelChoice.Of(KernelForm.Vector256, null, hasInstructions: true).Reason, StringComparison.Ordinal);
        foreach (var form in KernelForms.Available.Where(f => f.ToString().StartsWith("Assembled", StringComparison.Ordinal)))
        {
            var choice = KernelChoice.Of(form, null, hasInstructions: true);
            Assert.Null(choice.Reason);
            Assert.NotEmpty(choice.Assembled);
        }

        Assert.Equal(KernelForms.Name(KernelForms.Current), KernelChoice.Current().Form);
    }
}
