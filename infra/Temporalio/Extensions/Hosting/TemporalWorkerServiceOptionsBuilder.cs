using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Temporalio.Activities;

namespace Temporalio.Extensions.Hosting;

/// <summary>Configures a hosted worker.</summary>
public interface ITemporalWorkerServiceOptionsBuilder
{
    /// <summary>Task queue.</summary>
    string TaskQueue { get; }

    /// <summary>Services.</summary>
    IServiceCollection Services { get; }
}

/// <inheritdoc cref="ITemporalWorkerServiceOptionsBuilder"/>
public class TemporalWorkerServiceOptionsBuilder : ITemporalWorkerServiceOptionsBuilder
{
    /// <summary>Creates the builder.</summary>
    public TemporalWorkerServiceOptionsBuilder(string taskQueue, IServiceCollection services) => (TaskQueue, Services) = (taskQueue, services);

    /// <inheritdoc/>
    public string TaskQueue { get; }

    /// <inheritdoc/>
    public IServiceCollection Services { get; }
}

/// <summary>Adds workflows and activities to a hosted worker.</summary>
public static class TemporalWorkerServiceOptionsBuilderExtensions
{
    /// <summary>Changes the options.</summary>
    public static ITemporalWorkerServiceOptionsBuilder ConfigureOptions(
        this ITemporalWorkerServiceOptionsBuilder builder, Action<TemporalWorkerServiceOptions> configure)
    {
        builder.ConfigureOptions().Configure(configure);
        return builder;
    }

    /// <summary>The options' builder.</summary>
    public static OptionsBuilder<TemporalWorkerServiceOptions> ConfigureOptions(this ITemporalWorkerServiceOptionsBuilder builder) =>
        builder.Services.AddOptions<TemporalWorkerServiceOptions>(builder.TaskQueue);

    /// <summary>Adds a workflow class.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddWorkflow<T>(this ITemporalWorkerServiceOptionsBuilder builder) =>
        builder.ConfigureOptions(options => options.AddWorkflow<T>());

    /// <summary>Adds the static activities of a class.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddStaticActivities<T>(this ITemporalWorkerServiceOptionsBuilder builder) =>
        builder.AddStaticActivities(typeof(T));

    /// <summary>Adds the static activities of a class, which may be a static class.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddStaticActivities(this ITemporalWorkerServiceOptionsBuilder builder, Type type) =>
        builder.ConfigureOptions(options => options.AddAllActivities(type, null));

    /// <summary>Adds the activities of an object.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddActivitiesInstance<T>(this ITemporalWorkerServiceOptionsBuilder builder, T instance) =>
        builder.ConfigureOptions(options => options.AddAllActivities(instance));

    /// <summary>Adds the activities of a class that is created once.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddSingletonActivities<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this ITemporalWorkerServiceOptionsBuilder builder)
        where T : class
    {
        builder.Services.TryAddSingleton<T>();
        return builder.AddActivitiesOf<T>();
    }

    /// <summary>Adds the activities of a class that is created once per call, in a scope of that call.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddScopedActivities<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this ITemporalWorkerServiceOptionsBuilder builder)
        where T : class
    {
        builder.Services.TryAddScoped<T>();
        return builder.AddActivitiesOf<T>();
    }

    /// <summary>Adds the activities of a class that is created for each call.</summary>
    public static ITemporalWorkerServiceOptionsBuilder AddTransientActivities<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        this ITemporalWorkerServiceOptionsBuilder builder)
        where T : class
    {
        builder.Services.TryAddTransient<T>();
        return builder.AddActivitiesOf<T>();
    }

    private static ITemporalWorkerServiceOptionsBuilder AddActivitiesOf<T>(this ITemporalWorkerServiceOptionsBuilder builder)
        where T : class
    {
        builder.ConfigureOptions().Configure<IServiceProvider>((options, provider) =>
        {
            foreach (var method in typeof(T).GetMethods().Where(method => method.GetCustomAttribute<ActivityAttribute>() is not null))
            {
                options.AddActivity(ActivityDefinition.Create(method, arguments => InvokeInScopeAsync<T>(provider, method, arguments)));
            }
        });
        return builder;
    }

    // The scope lives until the activity has ended.
    private static async Task<object?> InvokeInScopeAsync<T>(IServiceProvider provider, MethodInfo method, object?[] arguments)
        where T : class
    {
        await using var scope = provider.CreateAsyncScope();
        var target = method.IsStatic ? null : scope.ServiceProvider.GetRequiredService<T>();
        object? returned;
        try
        {
            returned = method.Invoke(target, arguments);
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.InnerException);
            throw;
        }
        return await Common.TaskResult.UnwrapAsync(returned);
    }
}
