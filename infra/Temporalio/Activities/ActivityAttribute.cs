namespace Temporalio.Activities;

/// <summary>Marks a method as an activity.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class ActivityAttribute : Attribute
{
    /// <summary>An activity named as its method, without a trailing <c>Async</c>.</summary>
    public ActivityAttribute()
    {
    }

    /// <summary>An activity of this name.</summary>
    public ActivityAttribute(string name) => Name = name;

    /// <summary>Name, if it is not the method's.</summary>
    public string? Name { get; }

    /// <summary>Whether this activity takes the calls for which no other is registered; its parameter is <c>IRawValue[]</c>.</summary>
    public bool Dynamic { get; set; }
}
