"""Pods and what holds a template of one."""

POD = """
Pod: metadata:ObjectMeta spec:PodSpec! status:PodStatus
PodStatus: phase:str{Pending|Running|Succeeded|Failed|Unknown} conditions:keyed<Condition;type> message:str
  reason:str hostIP:str podIP:str podIPs:keyed<PodIP;ip> startTime:time qosClass:str observedGeneration:int
  containerStatuses:list<ContainerStatus> initContainerStatuses:list<ContainerStatus>
PodIP: ip:str
ContainerStatus: name:text! state:raw lastState:raw ready:bool restartCount:int image:str imageID:str
  containerID:str started:bool
PodTemplate: metadata:ObjectMeta spec:PodSpec!
PodSpec: containers:keyed<Container;name>! initContainers:keyed<Container;name> volumes:keyed<Volume;name>
  restartPolicy:str{Always|OnFailure|Never} terminationGracePeriodSeconds:int[0..] activeDeadlineSeconds:int[1..]
  dnsPolicy:str{ClusterFirst|Default|ClusterFirstWithHostNet|None} nodeSelector:map<labelvalue>@
  serviceAccountName:name serviceAccount:str automountServiceAccountToken:bool nodeName:str hostNetwork:bool
  hostPID:bool hostIPC:bool shareProcessNamespace:bool securityContext:PodSecurityContext
  imagePullSecrets:keyed<LocalObjectReference;name> hostname:dnslabel subdomain:dnslabel affinity:Affinity
  schedulerName:str tolerations:list<Toleration> priorityClassName:str priority:int enableServiceLinks:bool
  preemptionPolicy:str{PreemptLowerPriority|Never} runtimeClassName:str
  topologySpreadConstraints:keyed<TopologySpread;topologyKey,whenUnsatisfiable>
Container: name:dnslabel! image:text! command:list<str> args:list<str> workingDir:str
  ports:keyed<ContainerPort;containerPort,protocol> env:keyed<EnvVar;name> envFrom:list<EnvFrom>
  resources:Resources volumeMounts:keyed<VolumeMount;mountPath> livenessProbe:Probe readinessProbe:Probe
  startupProbe:Probe lifecycle:Lifecycle terminationMessagePath:str
  terminationMessagePolicy:str{File|FallbackToLogsOnError} imagePullPolicy:str{Always|IfNotPresent|Never}
  securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool restartPolicy:str{Always}
ContainerPort: name:portname containerPort:port! protocol:str{TCP|UDP|SCTP} hostPort:port hostIP:str
EnvVar: name:envname! value:str valueFrom:EnvSource
EnvSource: fieldRef:FieldRef@ resourceFieldRef:ResourceFieldRef@ secretKeyRef:KeyRef@ configMapKeyRef:KeyRef@
FieldRef: apiVersion:str fieldPath:text!
ResourceFieldRef: containerName:str resource:text! divisor:qty
KeyRef: name:name! key:configkey! optional:bool
EnvFrom: prefix:str secretRef:OptionalRef configMapRef:OptionalRef
OptionalRef: name:name! optional:bool
Resources: limits:map<qty> requests:map<qty> claims:keyed<ResourceClaim;name>
ResourceClaim: name:text! request:str
VolumeMount: name:text! mountPath:path! readOnly:bool subPath:relpath subPathExpr:str
  mountPropagation:str{None|HostToContainer|Bidirectional} recursiveReadOnly:str{Disabled|IfPossible|Enabled}
Probe: exec:ExecAction httpGet:HttpGet tcpSocket:TcpSocket grpc:GrpcAction initialDelaySeconds:int[0..]
  timeoutSeconds:int[1..] periodSeconds:int[1..] successThreshold:int[1..] failureThreshold:int[1..]
  terminationGracePeriodSeconds:int[1..]
ExecAction: command:list<str>!
HttpGet: path:str port:portref! host:str scheme:str{HTTP|HTTPS} httpHeaders:list<HttpHeader>
HttpHeader: name:text! value:str
TcpSocket: port:portref! host:str
GrpcAction: port:port! service:str
Lifecycle: postStart:LifecycleHandler preStop:LifecycleHandler
LifecycleHandler: exec:ExecAction httpGet:HttpGet tcpSocket:TcpSocket sleep:SleepAction
SleepAction: seconds:int[0..]!
SecurityContext: runAsUser:int[0..] runAsGroup:int[0..] runAsNonRoot:bool readOnlyRootFilesystem:bool
  allowPrivilegeEscalation:bool privileged:bool capabilities:Capabilities seccompProfile:SeccompProfile
  procMount:str seLinuxOptions:raw appArmorProfile:SeccompProfile
Capabilities: add:list<str> drop:list<str>
SeccompProfile: type:str{RuntimeDefault|Localhost|Unconfined}! localhostProfile:str
PodSecurityContext: runAsUser:int[0..] runAsGroup:int[0..] runAsNonRoot:bool fsGroup:int[0..]
  fsGroupChangePolicy:str{Always|OnRootMismatch} supplementalGroups:list<int> seccompProfile:SeccompProfile
  sysctls:list<Sysctl> seLinuxOptions:raw
Sysctl: name:text! value:text!
Volume: name:dnslabel! emptyDir:EmptyDir secret:SecretVolume configMap:ConfigMapVolume projected:Projected
  persistentVolumeClaim:ClaimVolume hostPath:HostPath downwardAPI:DownwardVolume ephemeral:raw csi:raw
EmptyDir: medium:str{|Memory} sizeLimit:qty
SecretVolume: secretName:name! defaultMode:int[0..511] optional:bool items:list<KeyPath>
ConfigMapVolume: name:name! defaultMode:int[0..511] optional:bool items:list<KeyPath>
KeyPath: key:configkey! path:relpath! mode:int[0..511]
Projected: defaultMode:int[0..511] sources:list<ProjectedSource>
ProjectedSource: secret:ProjectedRef configMap:ProjectedRef serviceAccountToken:TokenProjection
  downwardAPI:DownwardVolume
ProjectedRef: name:name! items:list<KeyPath> optional:bool
TokenProjection: audience:str expirationSeconds:int[600..] path:relpath!
DownwardVolume: items:list<DownwardItem> defaultMode:int[0..511]
DownwardItem: path:relpath! fieldRef:FieldRef resourceFieldRef:ResourceFieldRef mode:int[0..511]
ClaimVolume: claimName:name! readOnly:bool
HostPath: path:path! type:str
Toleration: key:str operator:str{Exists|Equal} value:str effect:str{NoSchedule|PreferNoSchedule|NoExecute}
  tolerationSeconds:int
TopologySpread: maxSkew:int[1..]! topologyKey:text! whenUnsatisfiable:str{DoNotSchedule|ScheduleAnyway}!
  labelSelector:LabelSelector@ minDomains:int[1..] matchLabelKeys:list<str>
Affinity: nodeAffinity:raw podAffinity:PodAffinity podAntiAffinity:PodAffinity
PodAffinity: requiredDuringSchedulingIgnoredDuringExecution:list<PodAffinityTerm>
  preferredDuringSchedulingIgnoredDuringExecution:list<WeightedTerm>
WeightedTerm: weight:int[1..100]! podAffinityTerm:PodAffinityTerm!
PodAffinityTerm: labelSelector:LabelSelector@ namespaces:list<str> topologyKey:text! namespaceSelector:LabelSelector@
"""

WORKLOADS = """
Deployment: metadata:ObjectMeta spec:DeploymentSpec! status:DeploymentStatus
DeploymentSpec: replicas:int[0..] selector:LabelSelector@! template:PodTemplate! strategy:Strategy
  minReadySeconds:int[0..] revisionHistoryLimit:int[0..] paused:bool progressDeadlineSeconds:int[1..]
Strategy: type:str{Recreate|RollingUpdate} rollingUpdate:RollingUpdate
RollingUpdate: maxSurge:percent maxUnavailable:percent
DeploymentStatus: observedGeneration:int replicas:int updatedReplicas:int readyReplicas:int availableReplicas:int
  unavailableReplicas:int terminatingReplicas:int collisionCount:int conditions:keyed<Condition;type>
CronJob: metadata:ObjectMeta spec:CronJobSpec! status:raw
CronJobSpec: schedule:text! timeZone:str startingDeadlineSeconds:int[0..]
  concurrencyPolicy:str{Allow|Forbid|Replace} suspend:bool jobTemplate:JobTemplate!
  successfulJobsHistoryLimit:int[0..] failedJobsHistoryLimit:int[0..]
JobTemplate: metadata:ObjectMeta spec:JobSpec!
Job: metadata:ObjectMeta spec:JobSpec! status:raw
JobSpec: parallelism:int[0..] completions:int[0..] activeDeadlineSeconds:int[1..] backoffLimit:int[0..]
  selector:LabelSelector@ manualSelector:bool template:PodTemplate! ttlSecondsAfterFinished:int[0..]
  completionMode:str{NonIndexed|Indexed} suspend:bool podFailurePolicy:raw
"""
