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
}
